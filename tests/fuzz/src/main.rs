//! `fuzz [--target NAME] [--seconds N] [--seed N] [--input FILE]`: every target unless one is named.

use anyhow::{Context, bail};
use fatura_fuzz::{Found, Fuzzer, TARGETS, Target};
use std::process::ExitCode;
use std::time::{Duration, Instant};

struct Wanted {
    targets: Vec<&'static Target>,
    time: Duration,
    seed: u64,
    /// Tried once, and nothing else.
    input: Option<Vec<u8>>,
}

fn main() -> anyhow::Result<ExitCode> {
    let wanted = wanted(std::env::args().skip(1))?;
    let mut code = ExitCode::SUCCESS;
    for target in &wanted.targets {
        if let Err(found) = fuzz(target, &wanted) {
            eprintln!("{found}\nkept as {}", found.keep()?.display());
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn fuzz(target: &'static Target, wanted: &Wanted) -> Result<(), Found> {
    let mut fuzzer = Fuzzer::new(target, wanted.seed);
    if let Some(input) = &wanted.input {
        return fuzzer.attempt(input).map(drop);
    }
    let begun = Instant::now();
    fuzzer.try_seeds()?;
    fuzzer.run(|_| begun.elapsed() < wanted.time)?;
    let tally = fuzzer.tally();
    let branches = tally.branches.map_or("not counted".to_owned(), |branches| branches.to_string());
    println!("{}: {} inputs, {} kept, branches: {branches}", target.name, tally.tried, tally.kept);
    Ok(())
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Wanted> {
    // Not the same inputs each minute of the year, and said, so that they can be had again.
    let seed = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    let mut wanted =
        Wanted { targets: TARGETS.iter().collect(), time: Duration::from_mins(1), seed, input: None };
    while let Some(option) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{option} of what?"))?;
        match option.as_str() {
            "--target" => wanted.targets.retain(|target| target.name == value),
            "--seconds" => wanted.time = Duration::from_secs(value.parse()?),
            "--seed" => wanted.seed = value.parse()?,
            "--input" => wanted.input = Some(std::fs::read(&value).with_context(|| value.clone())?),
            _ => bail!("there is no {option}"),
        }
    }
    if wanted.targets.is_empty() {
        bail!("the targets are {}", TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", "));
    }
    println!("seed {}", wanted.seed);
    Ok(wanted)
}
