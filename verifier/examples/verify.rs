//! `verify FILE...`: reads each file with the dialect that its extension names and prints what the second reader says.
use model::{Format, Policy};
use std::path::Path;

fn main() -> std::process::ExitCode {
    let mut all = true;
    for path in std::env::args().skip(1) {
        let answer = answer(Path::new(&path));
        all &= answer.is_ok();
        match answer {
            Ok(()) => println!("accepted {path}"),
            Err(why) => println!("rejected {path}: {why}"),
        }
    }
    if all { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

fn answer(path: &Path) -> Result<(), String> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let format = Format::ALL.iter().copied().find(|f| verifier::supports(*f) && f.extension() == extension);
    let format = format.ok_or("no dialect for this extension")?;
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    verifier::verify(&bytes, format, &Policy::standard()).map_err(|e| e.to_string())
}
