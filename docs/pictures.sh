#!/usr/bin/env bash
# Makes the README's pictures anew, in a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --test browser -- pictures::
cp target/pictures/readme-board.png docs/board.png
cp target/pictures/readme-acknowledge.png docs/acknowledge.png
