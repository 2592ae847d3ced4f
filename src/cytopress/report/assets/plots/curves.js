// Rate-distortion curves: the task's score, its change, and image metrics.
const BUILD = {};

function effects(dataset, column, pick, ends, write) {
  return dataset.curves.filter((curve) => !hidden.has(curve.label)).map((curve) => {
    const values = curve.tasks[column];
    return trace(
      curve, apart(dataset, curve), values.map((value) => value && value[pick]),
      values.map((value, i) => value && heading(curve, i) + write(value)),
      ends && values.map((value) => value && value[ends]),
    );
  });
}

BUILD.accuracy = (dataset, column) => {
  const score = dataset.scores.find((entry) => entry.column === column);
  const shapes = score.original !== null ? [level(score.original, `from originals: ${short(score.original, 3)}`)] : [];
  const traces = effects(dataset, column, "decoded", "decodedInterval", (value) =>
    `${escape(score.label)}: ${short(value.decoded)}${range(value.decodedInterval, short)}`);
  return { traces, layout: layout(dataset, `${escape(score.label)}<br>${score.better} is better`, shapes) };
};

BUILD.change = (dataset, column) => {
  const score = dataset.scores.find((entry) => entry.column === column);
  const traces = effects(dataset, column, "change", "changeInterval", (value) =>
    `change: ${signed(value.change)}${range(value.changeInterval, signed)}`);
  return { traces, layout: layout(dataset, `Change of ${escape(score.label)}<br>below zero is ${score.better === "higher" ? "worse" : "better"}`, [level(0, "no change")]) };
};

BUILD.metric = (dataset, column) => {
  const score = data.metrics.find((entry) => entry.column === column);
  const traces = dataset.curves.filter((curve) => !hidden.has(curve.label)).map((curve) => {
    const y = curve.metrics[column];
    return trace(curve, curve[rate], y, y.map((value, i) => `${heading(curve, i)}${escape(score.label)}: ${short(value)}`));
  });
  const better = score.ideal === null ? `${score.better} is better` : `${score.ideal} is as in the original`;
  const shapes = score.ideal === null ? [] : [level(score.ideal, "as in the original")];
  const word = column === "pixels/bias" ? "nearer to zero is better" : better;
  return { traces, layout: layout(dataset, `${escape(score.label)}<br>${word}`, column === "pixels/bias" ? [level(0, "none")] : shapes) };
};
