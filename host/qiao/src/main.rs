//! `qiao`: see `qiao --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    qiao::run()
}
