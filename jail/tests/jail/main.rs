//! The jails from inside and from outside. This program is both the station and, started again, the jail: hence a `main`
//! of its own, which runs the tests one after the other and prints what libtest would.
//!
//! A machine without the required layers fails here: there is no skip.

#![expect(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "hostile jobs do what is not sound, on purpose")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking; clippy knows libtest's tests only"
)]

mod denied;
mod hostile;
mod limits;
mod lives;
mod programs;
mod scanners;
mod support;

use std::panic::AssertUnwindSafe;

type Test = (&'static str, fn());

fn main() {
    jail::become_jail_if_asked(&hostile::ROLES);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == lives::DOOMED_STATION) {
        lives::doomed_station();
    }
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let all = [denied::TESTS, limits::TESTS, lives::TESTS, programs::TESTS, scanners::TESTS].concat();
    let chosen: Vec<Test> =
        all.into_iter().filter(|(name, _)| wanted.is_none_or(|w| name.contains(w.as_str()))).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0_usize;
    for (name, test) in &chosen {
        let passed = std::panic::catch_unwind(AssertUnwindSafe(test)).is_ok();
        failed += usize::from(!passed);
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured\n", chosen.len() - failed);
    std::process::exit(i32::from(failed > 0) * 101);
}
