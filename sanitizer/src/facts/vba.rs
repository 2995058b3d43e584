//! What macro source does, by the words in it. Comments do not count; `_` at a line's end joins it with the next.

use super::Fact;
use crate::Cx;

/// Procedures that Office runs by itself, or that run when somebody moves the mouse over something.
const AUTO: [&str; 29] = [
    "autoexec",
    "autoopen",
    "autoclose",
    "autoexit",
    "autonew",
    "auto_open",
    "auto_close",
    "auto_activate",
    "auto_deactivate",
    "document_open",
    "document_close",
    "document_new",
    "document_beforeclose",
    "documentopen",
    "workbook_open",
    "workbook_activate",
    "workbook_beforeclose",
    "workbook_deactivate",
    "workbook_windowactivate",
    "worksheet_activate",
    "worksheet_calculate",
    "userform_initialize",
    "userform_activate",
    "app_documentopen",
    "slideshow_begin",
    "onslideshowpagechange",
    "inkpicture1_painted",
    "inkedit1_gotfocus",
    "webbrowser1_documentcomplete2",
];

/// Words and what they show. A word counts only where no letter, digit or `_` touches it.
const WORDS: &[(&str, Fact)] = &[
    ("createobject", Fact::VbaCreateObject),
    ("getobject", Fact::VbaCreateObject),
    ("shell", Fact::VbaShell),
    ("wscript.shell", Fact::VbaShell),
    ("shell.application", Fact::VbaShell),
    ("shellexecute", Fact::VbaShell),
    ("shellexecutea", Fact::VbaShell),
    ("createprocessa", Fact::VbaShell),
    ("win32_process", Fact::VbaShell),
    ("schedule.service", Fact::VbaShell),
    ("powershell", Fact::VbaPowerShell),
    ("powershell.exe", Fact::VbaPowerShell),
    ("mshta", Fact::VbaPowerShell),
    ("mshta.exe", Fact::VbaPowerShell),
    ("regsvr32", Fact::VbaPowerShell),
    ("rundll32", Fact::VbaPowerShell),
    ("certutil", Fact::VbaPowerShell),
    ("bitsadmin", Fact::VbaPowerShell),
    ("wscript.exe", Fact::VbaPowerShell),
    ("cscript.exe", Fact::VbaPowerShell),
    ("declare", Fact::VbaDeclare),
    ("urldownloadtofile", Fact::VbaDownload),
    ("urldownloadtofilea", Fact::VbaDownload),
    ("urldownloadtofilew", Fact::VbaDownload),
    ("urldownloadtocachefilea", Fact::VbaDownload),
    ("xmlhttp", Fact::VbaNetwork),
    ("serverxmlhttp", Fact::VbaNetwork),
    ("winhttprequest", Fact::VbaNetwork),
    ("internetopenurl", Fact::VbaNetwork),
    ("internetopenurla", Fact::VbaNetwork),
    ("environ", Fact::VbaEnvironment),
    ("environ$", Fact::VbaEnvironment),
    ("specialfolders", Fact::VbaEnvironment),
    ("expandenvironmentstrings", Fact::VbaEnvironment),
    ("savetofile", Fact::VbaWritesFile),
    ("kill", Fact::VbaWritesFile),
    ("createtextfile", Fact::VbaWritesFile),
    ("filecopy", Fact::VbaWritesFile),
    ("vbaproject", Fact::VbaSecurity),
    ("accessvbom", Fact::VbaSecurity),
    ("vbawarnings", Fact::VbaSecurity),
    ("addfromstring", Fact::VbaSecurity),
    ("strreverse", Fact::VbaObfuscated),
];

/// Functions that put code into memory; two of them in one module are no accident.
const INJECT: [&str; 9] = [
    "virtualalloc",
    "virtualallocex",
    "virtualprotect",
    "rtlmovememory",
    "writeprocessmemory",
    "createthread",
    "createremotethread",
    "queueuserapc",
    "enumsystemlocalesa",
];

/// Ours: character codes in one module from which on nobody writes them to make a line break.
const MANY_CODES: usize = 40;

/// Ours: source that is looked at; modules of people stay below 64 KiB, which is what the editor takes.
const MOST_BYTES: usize = 4 << 20;

/// Notes what the module's source shows.
pub fn look(source: &str, place: &str, cx: &mut Cx<'_>) {
    facts(source).into_iter().for_each(|fact| cx.fact(fact, place));
}

/// The facts of a module, each once, in the order of [`Fact`].
#[must_use]
pub fn facts(source: &str) -> Vec<Fact> {
    let code = code(source.get(..source.floor_char_boundary(MOST_BYTES)).unwrap_or_default());
    let mut facts = std::collections::BTreeSet::new();
    let (mut inject, mut codes) = (std::collections::BTreeSet::<&str>::new(), 0_usize);
    let mut before = "";
    for word in words(&code) {
        // `XMLHTTP.6.0` and `MSXML2.XMLHTTP` count as `XMLHTTP`.
        let parts = || word.split('.').chain([word]);
        facts.extend(WORDS.iter().filter(|(known, _)| parts().any(|part| part == *known)).map(|(_, fact)| *fact));
        inject.extend(INJECT.iter().copied().filter(|known| *known == word));
        codes = codes.saturating_add(usize::from(matches!(word, "chr" | "chrw" | "chr$" | "chrw$" | "chrb")));
        if before == "sub" && AUTO.contains(&word) || before == "function" && AUTO.contains(&word) {
            facts.insert(Fact::VbaAutoRun);
        }
        before = word;
    }
    if inject.len() > 1 {
        facts.insert(Fact::VbaInject);
    }
    if codes >= MANY_CODES {
        facts.insert(Fact::VbaObfuscated);
    }
    // A stream that is filled from a network and saved is a download, whatever the words for it.
    if facts.contains(&Fact::VbaNetwork) && code.contains("savetofile") {
        facts.insert(Fact::VbaDownload);
    }
    facts.into_iter().collect()
}

/// The source in lower case without comments, lines joined.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    for line in source.lines() {
        let line = without_comment(line).trim_end();
        match line.strip_suffix(" _") {
            Some(joined) => code.extend([joined, " "]),
            None => code.extend([line, "\n"]),
        }
    }
    code.make_ascii_lowercase();
    code
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '\'' if !quoted => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
    }
    let first = line.trim_start();
    if first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("rem ")) { "" } else { line }
}

/// Words as VBA knows them, with the dots that join names; quotation marks part words, so that texts count too.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || "_.$".contains(c)))
        .map(|word| word.trim_matches('.'))
        .filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_downloader_shows_what_it_is() {
        let source = "Attribute VB_Name = \"X\"\r\nPrivate Declare PtrSafe Function U Lib \"urlmon\" _\r\n  Alias \
                      \"URLDownloadToFileA\" (ByVal a As Long)\r\nSub AutoOpen()\r\n  p = Environ(\"TEMP\")\r\n  U 0\r\n  \
                      Shell p, 0\r\nEnd Sub\r\n";
        let wanted = [Fact::VbaAutoRun, Fact::VbaDeclare, Fact::VbaDownload, Fact::VbaEnvironment, Fact::VbaShell];
        assert_eq!(facts(source), wanted);
    }

    #[test]
    fn an_honest_macro_shows_nothing() {
        let source = "Sub Total()\r\n  ' AutoOpen, Shell and CreateObject are words in a comment\r\n  Rem Declare\r\n  \
                      Range(\"A1\").Value = \"it's \" & Chr(10) & Sum()\r\n  Shells = 3\r\n  Call NotAutoOpen\r\nEnd Sub\r\n";
        assert_eq!(facts(source), []);
    }

    #[test]
    fn what_is_put_into_memory_and_what_is_hidden_is_seen() {
        let inject = "Declare Function VirtualAlloc Lib \"kernel32\" ()\nDeclare Sub RtlMoveMemory Lib \"kernel32\" ()";
        assert_eq!(facts(inject), [Fact::VbaDeclare, Fact::VbaInject]);
        assert_eq!(facts(&"x = x & Chr(65)\n".repeat(MANY_CODES)), [Fact::VbaObfuscated]);
        let web = "Set o = CreateObject(\"MSXML2.XMLHTTP.6.0\")\ns.SaveToFile \"x\"";
        assert_eq!(facts(web), [Fact::VbaCreateObject, Fact::VbaDownload, Fact::VbaNetwork, Fact::VbaWritesFile]);
    }
}
