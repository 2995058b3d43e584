//! Makes the demo stick: `samples DIR`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: samples DIR");
        return ExitCode::from(2);
    };
    for (path, bytes) in samples::demo_stick() {
        let to = dir.join(path);
        let made = to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&to, bytes));
        if let Err(error) = made {
            eprintln!("samples: {} cannot be written: {error}", to.display());
            return ExitCode::FAILURE;
        }
    }
    println!("demo stick: {}", dir.display());
    ExitCode::SUCCESS
}
