//! The compile child by itself, for the tests of this room: the `qiao` binary runs the
//! same function as its hidden subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    qiao_runtime::compile_child::main()
}
