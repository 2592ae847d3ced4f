#!/bin/sh
# A task in shell: does the decoded image still hold as much incompressible detail as the original?
# Detail is measured by how small gzip makes the file, since both files hold the same image form.
# A declaration: kind = "external", command = ["sh", "count.sh"].
set -eu

if [ "$#" -eq 0 ]; then
    # Called bare: what is answered, the main score first.
    printf '%s\n' '[{"name": "detail_change", "unit": "%", "better": "lower"},'
    printf '%s\n' ' {"name": "bytes_change", "unit": "bytes", "better": "lower"}]'
    exit 0
fi

if [ "$#" -ne 2 ]; then
    echo "usage: count.sh [ORIGINAL DECODED]" >&2
    exit 2
fi

original=$(gzip -9 -n -c "$1" | wc -c)
decoded=$(gzip -9 -n -c "$2" | wc -c)
change=$((decoded - original))
[ "$change" -ge 0 ] || change=$((-change))
awk -v change="$change" -v original="$original" 'BEGIN {
    printf "{\"detail_change\": %.4f, \"bytes_change\": %d}\n", 100 * change / original, change
}'
