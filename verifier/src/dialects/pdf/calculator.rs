//! Type 4 functions (ISO 32000-1, 7.10.5): the operators of table 42, one space between tokens.

use super::value::Reader;
use crate::Rejection;

const DEPTH: u8 = 32;

/// Table 42 without `if` and `ifelse`, which stand behind braces.
const OPERATORS: [&str; 40] = [
    "abs", "add", "and", "atan", "bitshift", "ceiling", "copy", "cos", "cvi", "cvr", "div", "dup", "eq", "exch", "exp",
    "false", "floor", "ge", "gt", "idiv", "index", "le", "ln", "log", "lt", "mod", "mul", "ne", "neg", "not", "or",
    "pop", "roll", "round", "sin", "sqrt", "sub", "true", "truncate", "xor",
];

/// `{ ... }` and a line feed.
pub(super) fn check(program: &[u8]) -> Result<(), Rejection> {
    let mut reader = Reader::new(program, 0);
    reader.expect(b"{ ", "7.10.5: { expected")?;
    block(&mut reader, 1)?;
    reader.expect(b"\n", "dialect §2: line feed behind the function")?;
    if reader.rest().is_empty() { Ok(()) } else { Err(reader.reject("bytes behind the function")) }
}

/// Behind "{ ", to the brace that closes it.
fn block(reader: &mut Reader<'_>, depth: u8) -> Result<(), Rejection> {
    if depth > DEPTH {
        return Err(reader.reject("dialect §2: braces more than 32 deep"));
    }
    while !reader.eat(b"}") {
        if reader.eat(b"{ ") {
            branch(reader, depth)?;
        } else if reader.peek().is_some_and(|b| b.is_ascii_alphabetic()) {
            let word = reader.run(|b| b.is_ascii_alphabetic());
            if !OPERATORS.iter().any(|op| op.as_bytes() == word) {
                return Err(reader.reject("7.10.5: operator that is not of table 42 (PDF-76)"));
            }
        } else {
            reader.number()?;
        }
        reader.expect(b" ", "dialect §2: one space between tokens")?;
    }
    Ok(())
}

/// `{ ... } if` or `{ ... } { ... } ifelse`, behind the first brace.
fn branch(reader: &mut Reader<'_>, depth: u8) -> Result<(), Rejection> {
    let below = depth.saturating_add(1);
    block(reader, below)?;
    if reader.eat(b" { ") {
        block(reader, below)?;
        return reader.expect(b" ifelse", "7.10.5: ifelse behind two blocks");
    }
    reader.expect(b" if", "7.10.5: if behind a block")
}
