//! From the root of a share on a server down to a folder, a step at a time.

use std::io::{self, ErrorKind};

/// What a server does with one path.
pub struct Steps<Below, IsFolder, MakeFolder> {
    /// Where that is, in words: `on the server`.
    pub place: &'static str,
    /// The path of a name in a folder.
    pub below: Below,
    /// Whether a folder lies there, or something else; `None` where nothing does.
    pub is_folder: IsFolder,
    /// Makes a folder.
    pub make_folder: MakeFolder,
}

impl<Below, IsFolder, MakeFolder> Steps<Below, IsFolder, MakeFolder>
where
    Below: Fn(&str, &str) -> String,
    IsFolder: Fn(&str) -> io::Result<Option<bool>>,
    MakeFolder: Fn(&str) -> io::Result<()>,
{
    /// Goes down `folders` from `root`; with `make`, what is missing is made. The path there, or `None` where it is not.
    ///
    /// # Errors
    /// What the server says; with `make`, also that something on the way is no folder.
    pub fn descend(&self, root: &str, folders: &[String], make: bool) -> io::Result<Option<String>> {
        let mut path = root.to_owned();
        for folder in folders {
            path = (self.below)(&path, folder);
            let mut found = (self.is_folder)(&path)?;
            if found.is_none() && make {
                let made = (self.make_folder)(&path);
                // Another station, or another file of ours, may have made it meanwhile.
                found = (self.is_folder)(&path)?;
                if found.is_none() {
                    made?;
                }
            }
            match found {
                Some(true) => {}
                Some(false) if make => {
                    return Err(crate::error(ErrorKind::NotADirectory, format!("{path} is no folder {}", self.place)));
                }
                Some(false) | None => return Ok(None),
            }
        }
        Ok(Some(path))
    }
}
