//! `simulate --seed N`, or `simulate --seeds N`.

use fatura_simulation::{Plan, World};

fn main() {
    let mut args = std::env::args().skip(1);
    let (from, to) = match (args.next().as_deref(), args.next().and_then(|n| n.parse::<u64>().ok())) {
        (Some("--seed"), Some(seed)) => (seed, seed + 1),
        (Some("--seeds"), Some(count)) => (0, count),
        _ => (0, 10),
    };
    for seed in from..to {
        let (report, result) = World::run(&Plan::of(seed));
        match result {
            Ok(()) => println!("{seed} ok {} {}", report.steps, report.charges),
            Err(failure) => {
                if to - from == 1 {
                    println!("{}", failure.trace.join("\n"));
                }
                println!("{seed}: {}", failure.wrong.join("\n  "));
            }
        }
    }
}
