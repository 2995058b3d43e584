//! Cleans one file without the station: `clean_one IN OUT`. For trying a reconstructor; nothing is scanned or verified.
#![forbid(unsafe_code)]

use model::{Policy, Untrusted};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = args.as_slice() else {
        eprintln!("usage: clean_one IN OUT");
        return ExitCode::from(2);
    };
    let bytes = match std::fs::read(input) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("{input}: {error}");
            return ExitCode::from(2);
        }
    };
    let cleaned = sanitizer::clean(input, Untrusted::new(&bytes), &Policy::standard(), &mut sanitizer::Quiet);
    for finding in &cleaned.findings {
        println!("{} {:?} x{} {}", finding.id, finding.action, finding.count, finding.at);
    }
    match cleaned.result {
        Ok(rebuilt) => match std::fs::write(output, &rebuilt.bytes) {
            Ok(()) => {
                println!("{} {:?} {} bytes", rebuilt.format, rebuilt.method, rebuilt.bytes.len());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{output}: {error}");
                ExitCode::from(3)
            }
        },
        Err(refusal) => {
            println!("{}: {refusal}", cleaned.format);
            ExitCode::from(1)
        }
    }
}
