"""Mutated files for all fuzz targets; none may cause a traceback, a crash, a wait, or fill memory.

python -m benchmarks.fuzz --inputs 2000 --seed 0 --keep tests/fuzz/corpus
"""

import random
import tempfile
from collections import Counter
from pathlib import Path

from core.options import Parser
from testkit.command_lines import positive, run_benchmark
from testkit.fuzz.mutate import mutated
from testkit.fuzz.targets import TARGETS
from testkit.fuzz.watch import Watched


def main() -> int:
    parser = Parser()
    parser.add_argument("--inputs", type=positive(int), default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--keep", type=Path, default=Path("found"), help="folder for the files that did harm"
    )
    options = parser.parse_args()
    chance = random.Random(options.seed)
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder, watched = Path(name), Watched(Path(name) / "out")
        seeds = {}
        for target in TARGETS:
            (folder / target).mkdir()
            seeds[target] = TARGETS[target].seeds(folder / target)
        shares = [target.share for target in TARGETS.values()]
        for number in range(options.inputs):
            target = chance.choices(list(TARGETS), shares)[0]
            seed = chance.choice(seeds[target])
            path = folder / f"{options.seed}_{number}{seed.suffix}"
            path.write_bytes(mutated(seed.read_bytes(), chance, TARGETS[target].text))
            outcome = watched.read(target, path)
            kind = outcome.partition(":")[0] or "read"
            counts[target, kind] += 1
            if kind not in ("read", "refused"):
                (options.keep / target).mkdir(parents=True, exist_ok=True)
                (options.keep / target / path.name).write_bytes(path.read_bytes())
                print(f"{target} {path.name}: {outcome}", flush=True)
            path.unlink()
        watched.close()
    for (target, kind), count in sorted(counts.items()):
        print(f"{target:12} {kind:10} {count}")
    print(
        f"slowest {watched.slowest_s:.1f} s of processor time, most memory {watched.most_mib} MiB"
    )
    return 1 if any(kind not in ("read", "refused") for _, kind in counts) else 0


if __name__ == "__main__":
    run_benchmark(main)
