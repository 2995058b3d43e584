//! Reads files with the mutated second reader: `run N LIST`, N the arm that is off, LIST lines of `format path`.
//! With N = 0 a line for each file: `accepted` or `refused`, and the arms that were met. Else one line: `killed PATH`, the
//! first file that is refused, or `survived`.

use std::sync::atomic::Ordering::Relaxed;
use verifier::arms::{MET, OFF};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let off: usize = arguments[1].parse().unwrap();
    OFF.store(off, Relaxed);
    std::panic::set_hook(Box::new(|_| {}));
    let policy = model::Policy::standard();
    if std::panic::catch_unwind(verifier::prepare).is_err() {
        println!("killed -");
        return;
    }
    let at_start: Vec<bool> = MET.iter().map(|met| met.swap(false, Relaxed)).collect();
    for line in std::fs::read_to_string(&arguments[2]).unwrap().lines() {
        let (format, path) = line.split_once(' ').unwrap();
        let bytes = std::fs::read(path).unwrap();
        let format = model::Format::from_id(format).unwrap();
        let verdict = std::panic::catch_unwind(|| verifier::verify(&bytes, format, &policy));
        let accepted = matches!(verdict, Ok(Ok(())));
        if off != 0 && !accepted {
            println!("killed {path}");
            return;
        }
        if off == 0 {
            let met = MET.iter().zip(&at_start).enumerate().filter(|(_, (met, start))| met.swap(false, Relaxed) || **start);
            let met: Vec<String> = met.map(|(arm, _)| arm.to_string()).collect();
            println!("{} {}", if accepted { "accepted" } else { "refused" }, met.join(" "));
        }
    }
    if off != 0 {
        println!("survived");
    }
}
