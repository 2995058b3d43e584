//! Telling good rules from broken ones, so that one broken rule of a collection does not cost the others.

use ::yara::{CompileErrorLevel, Compiler, Error};
use signatures::split;

/// Ours: rounds of leaving out what the compiler names. A file with more broken rules than that is left out whole.
const MOST_ROUNDS: usize = 200;

/// What is left of a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The rules that compile; empty where none does.
    pub text: String,
    /// How many.
    pub rules: usize,
    /// Name of what was left out (none: the whole file), and why.
    pub left_out: Vec<(Option<String>, String)>,
}

/// Compiles a rule file and leaves out what does not compile, rule by rule. Rules that stand on a rule that was left out go
/// too. Runs in a jail: the text may be anybody's.
#[must_use]
pub fn check(text: &str) -> Checked {
    let mut text = text.to_owned();
    let mut left_out = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let errors = match compiled(&text) {
            Ok(0) => return whole(left_out, "there is no rule in it".to_owned()),
            Ok(rules) => return Checked { text, rules, left_out },
            Err(errors) => errors,
        };
        let broken: Vec<_> = split::rules(&text)
            .into_iter()
            .filter_map(|rule| {
                let (_, why) = errors.iter().find(|(line, _)| rule.lines.contains(line))?;
                Some((rule, why.clone()))
            })
            .collect();
        if broken.is_empty() {
            let why = errors.into_iter().next().map_or_else(String::new, |(line, why)| format!("line {line}: {why}"));
            return whole(left_out, why);
        }
        // From the end, so that the places of the others stay.
        for (rule, why) in broken.into_iter().rev() {
            text.replace_range(rule.bytes, "");
            left_out.push((Some(rule.name), why));
        }
    }
    whole(left_out, format!("more than {MOST_ROUNDS} rounds of leaving rules out did not mend it"))
}

fn whole(mut left_out: Vec<(Option<String>, String)>, why: String) -> Checked {
    left_out.push((None, why));
    Checked { text: String::new(), rules: 0, left_out }
}

/// Number of rules, or line and text of each error.
fn compiled(text: &str) -> Result<usize, Vec<(usize, String)>> {
    let other = |error: &dyn std::fmt::Display| vec![(0, error.to_string())];
    let mut compiler = Compiler::new().map_err(|e| other(&e))?;
    compiler.disable_include_directive();
    let compiler = match compiler.add_rules_str(text) {
        Ok(compiler) => compiler,
        Err(Error::Compile(errors)) => {
            let errors = errors.iter().filter(|error| error.level == CompileErrorLevel::Error);
            return Err(errors.map(|error| (error.line, error.message.clone())).collect());
        }
        Err(error @ (Error::Io(_) | Error::Yara(_))) => return Err(other(&error)),
    };
    compiler.compile_rules().map(|rules| rules.get_rules().len()).map_err(|e| other(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_rules_go_and_the_others_stay() {
        let text = "import \"pe\"\nrule a { condition: true }\nrule b { condition: nowhere }\nrule c { condition: b }\n\
                    rule d { strings: $x = \"y\" condition: $x }\nrule e { strings: $x = \"y\" condition: true }\n";
        let checked = check(text);
        let mut names: Vec<_> = checked.left_out.iter().map(|(name, _)| name.as_deref().unwrap()).collect();
        names.sort_unstable();
        assert_eq!((names, checked.rules), (vec!["b", "c", "e"], 2));
        assert!(checked.left_out.iter().all(|(_, why)| !why.is_empty()));
        assert_eq!(check(&checked.text), Checked { left_out: vec![], ..checked });
    }

    #[test]
    fn a_file_beyond_mending_goes_whole_and_says_why() {
        for text in ["", "nonsense", "include \"/etc/passwd\"\nrule a { condition: true }", "rule a { condition: ("] {
            let checked = check(text);
            assert!(checked.text.is_empty() && checked.rules == 0, "{text}");
            assert!(
                checked.left_out.last().is_some_and(|(rule, why)| rule.is_none() && !why.is_empty()),
                "{checked:?}"
            );
        }
    }
}
