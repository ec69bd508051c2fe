use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ringdown::cli::main().await
}
