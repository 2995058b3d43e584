//! What the JavaScript of a PDF does, by the names in it.

use super::Fact;

/// Functions of Acrobat that were the way in for known exploits (CVE-2007-5659, 2008-2992, 2009-0927, 2009-1492,
/// 2009-4324 and their kin); nobody needs them in a form.
const EXPLOIT: [&str; 7] = [
    "Collab.collectEmailInfo",
    "Collab.getIcon",
    "media.newPlayer",
    "spell.customDictionaryOpen",
    "util.printd(\"\\x",
    "printSeps",
    "getAnnots(-",
];
/// Functions that reach out of the document.
const REACH: [&str; 9] = [
    "app.launchURL",
    "app.openDoc",
    "exportDataObject",
    "getURL(",
    "importDataObject",
    "mailDoc",
    "mailMsg",
    "Net.HTTP",
    "submitForm",
];
/// Ways to make up code at run time.
const OBFUSCATED: [&str; 4] = ["eval(", "unescape(", "String.fromCharCode", "new Function("];
/// Ours: a text that is mostly `%uXXXX` or `\xXX`.
const MANY_ESCAPES: usize = 64;

/// The facts of a script, each once.
#[must_use]
pub fn facts(source: &[u8]) -> Vec<Fact> {
    let text = String::from_utf8_lossy(source);
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let escapes = ["%u", "\\x", "\\u"].iter().map(|mark| text.matches(mark).count()).max().unwrap_or(0);
    let mut facts = vec![Fact::JavaScript];
    if any(&EXPLOIT) {
        facts.push(Fact::JavaScriptExploit);
    }
    if any(&OBFUSCATED) || escapes >= MANY_ESCAPES {
        facts.push(Fact::JavaScriptObfuscated);
    }
    if any(&REACH) {
        facts.push(Fact::JavaScriptReach);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_by_what_they_call() {
        assert_eq!(facts(b"event.value = AFMakeNumber(1) + 2;"), [Fact::JavaScript]);
        assert_eq!(facts(b"eval(unescape('%61'))"), [Fact::JavaScript, Fact::JavaScriptObfuscated]);
        assert_eq!(facts(b"this.exportDataObject({cName: 'x'})"), [Fact::JavaScript, Fact::JavaScriptReach]);
        assert_eq!(facts(b"this.media.newPlayer(null)"), [Fact::JavaScript, Fact::JavaScriptExploit]);
        assert_eq!(facts("\\x41".repeat(MANY_ESCAPES).as_bytes()), [Fact::JavaScript, Fact::JavaScriptObfuscated]);
    }
}
