import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.learn


class FullDisk:
    """A trainer whose checkpoint, made elsewhere, is copied to a disk that fills up."""

    def save_checkpoint(self, path: Path) -> None:
        path.write_bytes(b"half")
        text = os.strerror(errno.ENOSPC)
        raise OSError(errno.ENOSPC, text, "/elsewhere/made", None, str(path))


def test_a_full_disk_keeps_the_last_checkpoint_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="training needs the extra learn")
    from cytopress.training.rounds import Checkpoints

    path = tmp_path / "checkpoint.ckpt"
    path.write_bytes(b"whole")
    after = Checkpoints({}, path, steps=3, report=str, progress=None)
    with pytest.raises(OSError, match="No space left") as caught:
        after.on_train_epoch_end(FullDisk(), SimpleNamespace(steps_done=3))  # type: ignore[arg-type]
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]
