//! The thuocdo program: parses the command line and hands over to the library.

use std::process::ExitCode;

use clap::Parser;

/// The system's allocator keeps what years of runs have freed in pieces, and takes its time for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match thuocdo::cli::run(thuocdo::cli::Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
