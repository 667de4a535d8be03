//! From exec to the first `next`: a Lambda runtime API that only waits to be asked for work.

use crate::table::Report;
use anyhow::{Context, Result, bail, ensure};
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 20;
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn measure(report: &mut Report) -> Result<()> {
    for function in ["api", "charge-consumer", "webhook-intake"] {
        let binary = binary(function)?;
        let size = std::fs::metadata(&binary)?.len();
        report.add(format!("{function}: binary"), size / 1024, "KiB", None);
        let mut times = (0..STARTS).map(|_| exec_to_first_next(&binary)).collect::<Result<Vec<_>>>()?;
        times.sort_unstable();
        let median = times.get(STARTS / 2).copied().unwrap_or_default();
        let micros = u64::try_from(median.as_micros())?;
        report.add(format!("{function}: exec to first next, median of {STARTS}"), micros, "µs", Some(5_000));
        match start_up_instructions(&binary) {
            Ok(instructions) => {
                report.add(format!("{function}: start-up instructions"), instructions, "", Some(10_000_000));
            }
            Err(error) => eprintln!("{function}: instructions not counted: {error:#}"),
        }
    }
    Ok(())
}

fn binary(function: &str) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let path = target.join("release").join(function);
    ensure!(path.exists(), "{} is missing: `make bench` builds it first", path.display());
    Ok(path)
}

fn exec_to_first_next(binary: &Path) -> Result<Duration> {
    let runtime = Runtime::start()?;
    let mut command = Command::new(binary);
    let began = Instant::now();
    let child = runtime.spawn(&mut command)?;
    runtime.wait_for_next(child)?;
    Ok(began.elapsed())
}

/// Counted by callgrind: the same figure twice, where a time is not.
fn start_up_instructions(binary: &Path) -> Result<u64> {
    let runtime = Runtime::start()?;
    let log = std::env::temp_dir().join(format!("fatura-callgrind-{}", std::process::id()));
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(format!("--log-file={}", log.display())).arg(binary);
    let child = runtime.spawn(&mut command).context("valgrind")?;
    let pid = child.id().to_string();
    let mut child = runtime.wait_while_running(child)?;
    Command::new("kill").args(["-TERM", &pid]).status()?;
    child.wait()?;
    let text = std::fs::read_to_string(&log)?;
    std::fs::remove_file(&log)?;
    let collected = text
        .lines()
        .find_map(|line| line.split("Collected :").nth(1))
        .context("no count in callgrind's log")?;
    Ok(collected.trim().parse()?)
}

/// What Lambda is to a function, as far as its first question.
struct Runtime {
    listener: TcpListener,
    address: String,
}

impl Runtime {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        Ok(Self { listener, address })
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        let environment = [
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("TABLE_NAME", "bench"),
            ("CHARGE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/bench"),
            ("WEBHOOK_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/bench"),
            ("OPERATOR_KEY_SECRET_ID", "bench"),
            ("TOKEN_KEY_SECRET_ID", "bench"),
            ("TOKEN_ISSUER", "https://api.invalid"),
            ("DISCOVERY_PREFIX", "/bench"),
            ("GATEWAY_SECRETS_ID", "bench"),
            ("SANDBOX_URL", "https://sandbox.invalid"),
            ("RATES_SOURCE", "european_central_bank"),
        ];
        command.env_clear().envs(environment).env("AWS_LAMBDA_RUNTIME_API", &self.address);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// Until the function asks for its first event; then it is ended.
    fn wait_for_next(&self, child: Child) -> Result<()> {
        let mut child = self.wait_while_running(child)?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    fn wait_while_running(&self, mut child: Child) -> Result<Child> {
        self.listener.set_nonblocking(true)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok((mut connection, _)) = self.listener.accept() {
                connection.set_nonblocking(false)?;
                let mut question = [0_u8; 256];
                let length = connection.read(&mut question)?;
                let question =
                    String::from_utf8_lossy(question.get(..length).unwrap_or_default()).into_owned();
                ensure!(question.contains("/invocation/next"), "asked for something else first: {question}");
                return Ok(child);
            }
            if let Some(status) = child.try_wait()? {
                bail!("the function ended before it asked for work: {status}");
            }
            if Instant::now() > deadline {
                child.kill()?;
                bail!("the function did not ask for work");
            }
            std::hint::spin_loop();
        }
    }
}
