"""Every mutant of the domain against the domain's tests: `make mutants`, or WITHIN=invoice/ for those of some files.

cargo-mutants says which mutants there are, and would build each of them. Here they are all in one program, each behind a
switch, so that a mutant costs no more than the tests that come by it: minutes instead of hours. What no switch can make, a
constant or another type that nobody may know, cargo-mutants tries by itself. What is missed has to be named in
docs/mutants.md, and what is named there to be missed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "localstack"))

from local import ROOT, Failure, main, say  # noqa: E402

PACKAGE = "fatura-domain"
CRATE = Path("shared/domain")
NAMED = ROOT / "docs" / "mutants.md"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
WOVEN = TARGET / "woven"
CARGO_MUTANTS = ROOT / ".tools" / "bin" / "cargo-mutants"
# No example is made smaller or kept: that it fails is enough.
ENVIRONMENT = os.environ | {
    "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
    "PROPTEST_MAX_SHRINK_ITERS": "0",
}
MOST_ROUNDS = 60
# A mutant may loop for ever, and may fill the memory with that.
PATIENCE_S = 12
TIMES_SLOWER = 10
MOST_MEMORY_KB = 4_000_000
# Longer than that, a test is run alone and last.
SLOW_S = 0.6
VERDICTS = ("caught", "timeout", "unviable", "missed")


def builds(folder: Path) -> dict[str, str]:
    """To cargo the woven crate is the crate itself, and it would take the builds of one for the other's."""
    return ENVIRONMENT | {"CARGO_TARGET_DIR": str(TARGET if folder == ROOT else WOVEN / "target")}


def output(command: list[str | Path], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, env=builds(folder), text=True, capture_output=True, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))} failed:\n{done.stderr[-3_000:]}")
    return done.stdout


def mutants() -> list[dict]:
    return json.loads(output([CARGO_MUTANTS, "mutants", "--package", PACKAGE, "--list", "--json"]))


def lay_out() -> None:
    """A workspace of the domain alone, which knows the switch."""
    shutil.rmtree(WOVEN / CRATE, ignore_errors=True)
    shutil.copytree(ROOT / CRATE, WOVEN / CRATE)
    manifest = (ROOT / "Cargo.toml").read_text()
    manifest = re.sub(r"members = \[.*?\]", f'members = ["{CRATE}"]', manifest, flags=re.DOTALL)
    # Profiles of packages that aren't there would be complained of.
    manifest = re.sub(r"\[profile\.\w+\.package\.[^\]]+\]\n(?:[^\[\n][^\n]*\n)*", "", manifest)
    (WOVEN / "Cargo.toml").write_text(manifest)
    shutil.copy(ROOT / "Cargo.lock", WOVEN)
    shutil.copy(HERE / "switch.rs", WOVEN / CRATE / "src")
    library = WOVEN / CRATE / "src" / "lib.rs"
    library.write_text(f"{library.read_text()}\n#[allow(missing_docs)]\npub mod switch;\n")


def weave(listed: Path, weaver: Path) -> tuple[set[int], set[int]]:
    """All mutants in one program but for those that the compiler refuses, which it is asked about until it has no more to
    say. Those that were woven, and those that were refused."""
    refused: set[int] = set()
    constant: set[str] = set()
    left_out = WOVEN / "left-out.json"
    for _ in range(MOST_ROUNDS):
        left_out.write_text(json.dumps({"mutants": sorted(refused), "functions": sorted(constant)}))
        lay_out()
        woven = set(json.loads(output([weaver, listed, left_out, WOVEN])))
        more_refused, more_constant = complaints()
        say(f"{len(woven)} mutants in one program, of which {len(more_refused)} are none to the compiler")
        if not more_refused and not more_constant:
            return woven, refused
        if more_refused <= refused and more_constant <= constant:
            break
        refused |= more_refused
        constant |= more_constant
    raise Failure("the compiler complains of something that no mutant is to blame for")


def complaints() -> tuple[set[int], set[str]]:
    """Which mutants the compiler complains of, and which functions have to stay constants."""
    command = ["cargo", "check", "--offline", "--package", PACKAGE, "--lib", "--tests", "--message-format", "json"]
    checked = subprocess.run(command, cwd=WOVEN, env=builds(WOVEN), text=True, capture_output=True, check=False)
    refused: set[int] = set()
    constant: set[str] = set()
    for line in checked.stdout.splitlines():
        message = json.loads(line).get("message")
        if not isinstance(message, dict) or message["level"] != "error":
            continue
        function = re.search(r"`(?:\w+::)*?(\w+)(?:<[^`]*>)?::(\w+)`", message["message"])
        if (message["code"] or {}).get("code") == "E0015" and function and function[2] != "is_on":
            constant.add(f"{function[1]}::{function[2]}")
            continue
        for span in filter(lambda span: span["is_primary"], message["spans"]):
            mutant = behind((WOVEN / span["file_name"]).read_bytes(), span["byte_start"])
            if mutant is not None:
                refused.add(mutant)
    if checked.returncode and not refused and not constant:
        raise Failure(f"the woven crate does not compile:\n{checked.stderr[-3_000:]}")
    return refused, constant


def behind(source: bytes, place: int) -> int | None:
    """The innermost mutant that the place lies behind, or else the one before it."""
    within: list[int | None] = []
    last = None
    tokens = re.compile(
        rb"is_on\s*\((\d+)\)\s*\{|is_on\s*\((\d+)\)|\"(?:\\.|[^\"\\])*\"|'(?:\\.[^']*|[^\\'])'|[{}]", re.DOTALL
    )
    for token in tokens.finditer(source, 0, place + 1):
        if token[1] is not None:
            within.append(last := int(token[1]))
        elif token[2] is not None:
            last = int(token[2])
        elif token[0] == b"{":
            within.append(None)
        elif token[0] == b"}" and within:
            within.pop()
    return next((mutant for mutant in reversed(within) if mutant is not None), last)


class Tests:
    """The woven program: what each test takes, and which mutants it comes by."""

    def __init__(self) -> None:
        command = ["cargo", "test", "--offline", "--package", PACKAGE, "--lib", "--no-run", "--message-format", "json"]
        built = [json.loads(line).get("executable") for line in output(command, WOVEN).splitlines()]
        self.program = next(filter(None, reversed(built)))
        self.takes: dict[str, float] = {}
        self.by_mutant: dict[int, list[str]] = defaultdict(list)
        listed = output([self.program, "--list"], WOVEN / CRATE).splitlines()
        reached = WOVEN / "reached"
        for test in (line.removesuffix(": test") for line in listed if line.endswith(": test")):
            reached.unlink(missing_ok=True)
            begun = monotonic()
            if self.run([test], 600, {"REACHED": str(reached)}) != "missed":
                raise Failure(f"{test} fails without any mutant")
            self.takes[test] = monotonic() - begun
            for mutant in set(reached.read_text().split()) if reached.exists() else ():
                self.by_mutant[int(mutant)].append(test)

    def run(self, tests: list[str], patience: float, environment: dict[str, str]) -> str:
        bounded = ["bash", "-c", f'ulimit -v {MOST_MEMORY_KB}; exec "$@"', "-", self.program, "--exact", *tests]
        try:
            done = subprocess.run(
                bounded, cwd=WOVEN / CRATE, env=ENVIRONMENT | environment, capture_output=True, timeout=patience, check=False
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        return "caught" if done.returncode else "missed"

    def verdict(self, mutant: int, file: str) -> str:
        """Near and quick tests first, then more and more at once; the slow ones one by one."""
        module = Path(file).relative_to(CRATE / "src").with_suffix("").as_posix().replace("/", "::").removesuffix("::mod")
        near = os.path.commonprefix
        tests = sorted(self.by_mutant[mutant], key=lambda test: (-len(near([test, module])), self.takes[test]))
        quick = [test for test in tests if self.takes[test] < SLOW_S]
        groups, size = [], 0.15
        while quick:
            group: list[str] = []
            while quick and sum(self.takes[test] for test in group) < size:
                group.append(quick.pop(0))
            groups.append(group)
            size *= 2
        groups += [[test] for test in tests if self.takes[test] >= SLOW_S]
        for group in groups:
            patience = PATIENCE_S + TIMES_SLOWER * sum(self.takes[test] for test in group)
            if (verdict := self.run(group, patience, {"MUTANT": str(mutant)})) != "missed":
                return verdict
        return "missed"


def one_by_one(names: list[str], others: list[str]) -> dict[str, str]:
    """What cargo-mutants finds of these by building each of them. The others are told to it as caught before: its filters
    let some through whatever they say."""
    if not names:
        return {}
    say(f"{len(names)} mutants that no switch can make, one by one")
    found = WOVEN / "mutants.out"
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir()
    (found / "caught.txt").write_text("".join(f"{name}\n" for name in others))
    command = [CARGO_MUTANTS, "mutants", "--package", PACKAGE, "--output", WOVEN, "--iterate", "--no-shuffle"]
    # It builds copies, which must not share its builds either; who is killed leaves them behind.
    copies = WOVEN / "copies"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "CARGO_TARGET_DIR"}
    environment["TMPDIR"] = str(copies)
    subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    summaries = {"CaughtMutant": "caught", "MissedMutant": "missed", "Timeout": "timeout", "Unviable": "unviable"}
    outcomes = json.loads((found / "outcomes.json").read_text())["outcomes"]
    of_mutants = (outcome for outcome in outcomes if isinstance(outcome["scenario"], dict))
    return {outcome["scenario"]["Mutant"]["name"]: summaries[outcome["summary"]] for outcome in of_mutants}


def without_place(name: str) -> str:
    """What docs/mutants.md calls it: lines move."""
    return re.sub(r"^shared/domain/src/([^:]+):\d+:\d+: ", r"\1: ", name)


def report(listed: list[dict], verdicts: dict[int, str]) -> dict[str, list[str]]:
    """Shows what became of each module's mutants. What was missed, by the name that docs/mutants.md has for it."""
    named = Counter(excused())
    missed: dict[str, list[str]] = defaultdict(list)
    for place, verdict in sorted(verdicts.items()):
        if verdict == "missed":
            missed[without_place(listed[place]["name"])].append(listed[place]["name"])
    modules: dict[str, Counter] = defaultdict(Counter)
    for place, verdict in verdicts.items():
        name = without_place(listed[place]["name"])
        module = Path(listed[place]["file"]).relative_to(CRATE / "src").parts[0].removesuffix(".rs")
        is_named = verdict == "missed" and len(missed[name]) <= named[name]
        modules[module]["named" if is_named else verdict] += 1
    columns = (*VERDICTS[:3], "named", "missed")
    print(f"| {'module':16} | mutants | {' | '.join(f'{column:>8}' for column in columns)} |")
    everything = sum(modules.values(), Counter())
    for module, counts in [*sorted(modules.items()), ("all", everything)]:
        figures = " | ".join(f"{counts[column]:8}" for column in columns)
        print(f"| {module:16} | {sum(counts.values()):7} | {figures} |")
    return missed


def excused() -> list[str]:
    """A name for each row: two like mutants of one function, which nothing but their places tells apart, have two."""
    return re.findall(r"^\| `([^`]+: [^`]+)` \|", NAMED.read_text(), re.MULTILINE)


def compare(missed: dict[str, list[str]], begins: str) -> None:
    """Each row excuses one mutant, and has to: a test that was written since makes it untrue."""
    named = Counter(name for name in excused() if name.startswith(begins))
    unnamed = [one for name, found in missed.items() if len(found) > named[name] for one in found]
    if unnamed:
        raise Failure("no test fails, and docs/mutants.md does not say why, or not as often:\n" + "\n".join(unnamed))
    caught = named - Counter({name: len(found) for name, found in missed.items()})
    if caught:
        raise Failure("docs/mutants.md names what is not missed any more:\n" + "\n".join(caught.elements()))


def program() -> None:
    begins = sys.argv[1] if len(sys.argv) > 1 else ""
    within = f"{CRATE / 'src'}/{begins}"
    listed = mutants()
    WOVEN.mkdir(parents=True, exist_ok=True)
    (WOVEN / "mutants.json").write_text(json.dumps(listed))
    output(["cargo", "build", "--locked", "--package", "fatura-mutants"])
    woven, refused = weave(WOVEN / "mutants.json", TARGET / "debug" / "weave")
    wanted = [place for place, mutant in enumerate(listed) if mutant["file"].startswith(within)]
    behind_switches = [place for place in wanted if place in woven]
    others = {listed[place]["name"]: place for place in wanted if place not in woven and place not in refused}
    # One of them waits for cargo-mutants.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as workers:
        rest = [mutant["name"] for mutant in listed if mutant["name"] not in others]
        built = workers.submit(one_by_one, list(others), rest)
        tests = Tests()
        say(f"{len(behind_switches)} mutants and {len(tests.takes)} tests")
        found = workers.map(lambda place: tests.verdict(place, listed[place]["file"]), behind_switches)
        verdicts = dict(zip(behind_switches, found, strict=True))
        verdicts |= {others[name]: verdict for name, verdict in built.result().items() if name in others}
    verdicts |= {place: "unviable" for place in wanted if place in refused}
    missed = report(listed, verdicts)
    if untried := [listed[place]["name"] for place in wanted if place not in verdicts]:
        raise Failure("cargo-mutants did not come to these:\n" + "\n".join(untried))
    compare(missed, begins)


if __name__ == "__main__":
    main(program)
