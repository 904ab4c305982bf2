//! `qiao`: see `qiao --help`.

use std::process::ExitCode;

/// Gives memory back: the system's allocator keeps what hashing passwords took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    qiao::run()
}
