//! `bootstrap`: the process that Lambda starts.

use std::process::ExitCode;

use gristmill_host::lambda;

#[tokio::main]
async fn main() -> ExitCode {
    let ready = match lambda::prepare() {
        Ok(ready) => ready,
        Err(error) => {
            error.report().await;
            return ExitCode::FAILURE;
        }
    };
    match lambda::run(ready).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
