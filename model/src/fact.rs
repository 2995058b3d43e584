//! Facts: what the format code saw in an input and a person should know when judging it. A fact is an id, a count and a
//! place; its words, its weight and its ATT&CK ids stand in the table here, never in what a jail says.

use crate::vector;
use serde::{Deserialize, Serialize};

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident $vector:literal $weight:literal $sentence:literal;)*) => {
        /// What was seen. Its id is the name in kebab case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Fact {
            $(#[doc = $sentence] $name,)*
        }

        impl Fact {
            /// All facts.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The row of the catalogue that it belongs to.
            #[must_use]
            pub const fn vector(self) -> &'static str {
                match self { $(Self::$name => $vector,)* }
            }

            /// How much it speaks against a file, 0 to 100.
            #[must_use]
            pub const fn weight(self) -> u8 {
                match self { $(Self::$name => $weight,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

// Weights: 5 common in files of good people, 10 seldom, 20 rare, 30 next to never. Files with 30 in all are suspicious.
facts! {
    Vba "OOX-03" 5 "It holds VBA macros.";
    VbaAutoRun "OOX-03" 10 "A macro runs by itself when the document is opened, closed or clicked.";
    VbaCreateObject "OOX-03" 5 "A macro uses another program's objects.";
    VbaDeclare "OOX-03" 10 "A macro calls functions of Windows or of a library directly.";
    VbaDownload "OOX-03" 20 "A macro fetches something from a network and writes it to a file.";
    VbaEnvironment "OOX-03" 5 "A macro asks for the user's or the system's folders or variables.";
    VbaInject "OOX-03" 30 "A macro writes code into memory and starts it.";
    VbaNetwork "OOX-03" 10 "A macro speaks to a network address.";
    VbaObfuscated "OOX-03" 15 "A macro hides its texts behind character codes or reversed strings.";
    VbaPowerShell "OOX-03" 25 "A macro names PowerShell, mshta, regsvr32 or another program that runs what it is given.";
    VbaSecurity "OOX-03" 25 "A macro changes the macro security of Office or writes macros itself.";
    VbaShell "OOX-03" 15 "A macro starts a program.";
    VbaStomped "OOX-04" 30 "A macro module has compiled code and no source: what runs is not what is shown.";
    VbaUnread "OOX-04" 10 "A part of a macro project cannot be read.";
    VbaWritesFile "OOX-03" 5 "A macro writes to a file or deletes one.";
    Xlm "OOX-05" 20 "It holds Excel 4.0 macros.";
    Dde "OOX-13" 25 "A field or link starts another program by DDE.";
    RemoteTemplate "OOX-08" 25 "It loads its template from another place.";
    ActiveX "OOX-12" 10 "It holds ActiveX controls.";
    AltChunk "OOX-20" 15 "It takes in a document of another format when it is opened.";
    OlePackage "OLE-05" 10 "A file is packaged into the document.";
    OlePackageProgram "OLE-05" 30 "A program or script is packaged into the document.";
    EquationEditor "OLE-07" 15 "It holds an object of the old equation editor.";
    Automatic "PDF-35" 5 "An action runs by itself when the document or a page is opened.";
    JavaScript "PDF-21" 10 "It holds JavaScript.";
    JavaScriptExploit "PDF-21" 30 "A script calls functions that are known for holes in PDF readers.";
    JavaScriptObfuscated "PDF-21" 20 "A script makes up the code that it runs, or hides it behind character codes.";
    JavaScriptReach "PDF-21" 15 "A script opens an address, sends data or saves an attachment.";
    Launch "PDF-22" 30 "An action starts a program.";
    ImportData "PDF-29" 10 "An action reads a file of the computer.";
    RemoteDocument "PDF-24" 5 "An action opens a document in another place.";
    SubmitForm "PDF-28" 5 "A form is sent to an address.";
    Attachment "PDF-44" 5 "A file is attached to the document.";
    AttachedProgram "PDF-44" 30 "A program or script is attached to the document.";
    RichMedia "PDF-48" 10 "It holds Flash, 3D or other media with programs of their own.";
    ObfuscatedName "PDF-07" 25 "Names of actions are written with character codes, so that a search does not find them.";
    DoubleExtension "GEN-01" 30 "Its name ends like a document and then like a program.";
    ReversedName "ARC-08" 30 "Its name turns the direction of writing, so that it ends other than it seems.";
    TypeDisagrees "GEN-01" 20 "Its name says another kind of file than its content.";
    Polyglot "GEN-02" 20 "It is two kinds of file at once.";
    Encrypted "GEN-08" 10 "It is encrypted, so that only who has its password sees what is inside.";
    PackedProgram "EXE-01" 20 "A program is packed or encrypted.";
    OddProgram "EXE-01" 10 "A program's entry point or sections are not as compilers make them.";
}

impl Fact {
    /// Its name in reports: `vba-auto-run`.
    #[must_use]
    pub fn id(self) -> String {
        let mut id = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_ascii_uppercase() && !id.is_empty() {
                id.push('-');
            }
            id.push(c.to_ascii_lowercase());
        }
        id
    }

    /// MITRE ATT&CK technique ids, comma separated, by the catalogue.
    #[must_use]
    pub fn attack_ids(self) -> &'static str {
        vector(self.vector()).map_or("", |row| row.attack_ids)
    }

    /// The fact that a finding of the catalogue stands for, if it is one that speaks against a file.
    #[must_use]
    pub fn of_finding(id: &str) -> Option<Self> {
        Some(match id {
            "OOX-05" => Self::Xlm,
            "OOX-13" => Self::Dde,
            "OOX-08" => Self::RemoteTemplate,
            "OOX-12" => Self::ActiveX,
            "OOX-20" => Self::AltChunk,
            "PDF-22" => Self::Launch,
            "PDF-21" | "PDF-38" | "PDF-42" => Self::JavaScript,
            "PDF-36" | "PDF-37" => Self::Automatic,
            "PDF-24" | "PDF-25" => Self::RemoteDocument,
            "PDF-28" => Self::SubmitForm,
            "PDF-29" => Self::ImportData,
            "PDF-44" => Self::Attachment,
            "PDF-48" | "PDF-49" => Self::RichMedia,
            "GEN-08" | "OOX-32" | "ARC-06" => Self::Encrypted,
            _ => return None,
        })
    }
}

/// A fact, where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// What was seen.
    pub fact: Fact,
    /// Which file: members by their path in the containers, empty for the input itself.
    pub file: String,
    /// Where in it: a module, a page, a part. Empty where the whole file is meant.
    pub at: String,
    /// How often there.
    pub count: u64,
}

/// Facts about one input, members included, that a hostile file cannot blow up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(Vec<Sighting>);

impl Facts {
    /// Ours: places that are told apart; a fact in a known file is never lost for want of room, only its place is.
    const MOST: usize = 256;
    /// Ours: the same, for files. Beyond it facts are noted as the input's own.
    const MOST_IN_ALL: usize = 1024;
    /// Ours: places are short, longer texts are the file's own words.
    const TEXT_CHARS: usize = 120;

    /// Adds `count` sightings.
    pub fn add(&mut self, fact: Fact, file: &str, at: &str, count: u64) {
        let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(Self::TEXT_CHARS).collect::<String>();
        let (mut file, mut at) = (cut(file), cut(at));
        if self.0.len() >= Self::MOST {
            at = String::new();
        }
        if self.0.len() >= Self::MOST_IN_ALL {
            file = String::new();
        }
        match self.0.iter_mut().find(|known| known.fact == fact && known.file == file && known.at == at) {
            Some(known) => known.count = known.count.saturating_add(count),
            None => self.0.push(Sighting { fact, file, at, count }),
        }
    }

    /// The same facts through [`Facts::add`], for a list that came from elsewhere.
    #[must_use]
    pub fn capped(self) -> Self {
        let mut capped = Self::default();
        for seen in self.0.into_iter().take(Self::MOST_IN_ALL.saturating_add(Fact::ALL.len())) {
            capped.add(seen.fact, &seen.file, &seen.at, seen.count.max(1));
        }
        capped
    }

    /// All sightings, in the order of the first of each.
    #[must_use]
    pub fn rows(&self) -> &[Sighting] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_in_the_catalogue_and_says_one_sentence() {
        for fact in Fact::ALL {
            assert!(vector(fact.vector()).is_some(), "{fact:?}");
            let sentence = fact.sentence();
            assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{sentence}");
            assert!((1..=100).contains(&fact.weight()));
        }
    }

    #[test]
    fn a_hostile_file_cannot_make_the_list_grow_for_ever_and_no_fact_is_lost() {
        let mut facts = Facts::default();
        for n in 0..20_000 {
            facts.add(Fact::Vba, &format!("file {n}"), &format!("module {n}"), 1);
        }
        facts.add(Fact::Launch, "last", "page 1", 1);
        assert!(facts.rows().len() <= Facts::MOST_IN_ALL + Fact::ALL.len());
        assert_eq!(facts.rows().iter().map(|seen| seen.count).sum::<u64>(), 20_001);
        assert!(facts.rows().iter().any(|seen| seen.fact == Fact::Launch));
        assert_eq!(facts.clone().capped().rows().len(), facts.rows().len());
    }
}
