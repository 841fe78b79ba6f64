"""Files that mean harm, one after another under strace: what each costs, and what it opens.

    python -m benchmarks.hostile ../shared/data/field/hostile tests/fuzz/corpus

Each file is given as what its ending says: a clip, keypoints, a lifter or a configuration. Right is
one line and exit status 1, or results; up to 1 GiB of memory and 20 s of processor time; no file
opened but the inputs, the weights, the output and what Python and its libraries load; no socket.
"""

import os
import tempfile
from pathlib import Path

from core.options import Parser
from testkit.command_lines import existing, run_benchmark
from testkit.hostile import ROOT, harm, words_for
from testkit.make_video import moving
from testkit.watched_program import watch


def main() -> int:
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "sources", nargs="+", type=existing, metavar="FILE", help="files or folders"
    )
    chosen = parser.parse_args()
    files = [
        path
        for source in chosen.sources
        for path in (sorted(source.rglob("*")) if source.is_dir() else [source])
        if path.is_file() and path.suffix != ".md"
    ]
    harmful = 0
    with tempfile.TemporaryDirectory() as name:
        clip = moving(Path(name, "clip.mp4"))
        for number, path in enumerate(files):
            out = Path(name, str(number))
            out.mkdir()
            os.environ["TMPDIR"] = str(out)
            done = watch(words_for(path.resolve(), clip, out / "out"), ROOT)
            found = list(harm(done, out, path, clip))
            lines = sum(line.startswith(("failed: ", "error: ")) for line in done.said.splitlines())
            if done.status and lines != 1:
                found.append(f"{lines} lines")
            harmful += bool(found)
            last = (done.said.strip().splitlines() or [""])[-1]
            cost = f"{done.peak_mib:5} MiB {done.cpu_s:5.1f} s {len(done.opened):5} files"
            print(f"{path.name:30} {done.status} {cost}  {'; '.join(found) or 'ok'} | {last[:150]}")
    print(f"{len(files)} files, {harmful} did harm")
    return 1 if harmful else 0


if __name__ == "__main__":
    run_benchmark(main)
