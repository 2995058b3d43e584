//! Formats by name. Identification lives in `sanitizer`; here is only what a format is called and how it is treated.

use serde::{Deserialize, Serialize};

/// How dangerous a file of a format is by its nature. GEN-01 blocks across classes and reports within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RiskClass {
    /// Documents, text, pictures, sound.
    Document,
    /// Containers of other files.
    Archive,
    /// Programs for a machine or an installer.
    Executable,
    /// Text that a shell or interpreter runs.
    Script,
    /// Nothing is known about it.
    Unknown,
}

macro_rules! formats {
    ($($variant:ident $id:literal $ext:literal $class:ident $words:literal;)*) => {
        /// What a file is, by its content.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Format { $(#[doc = $words] #[serde(rename = $id)] $variant,)* }

        impl Format {
            /// Every format that has a name here.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Stable lower-case id: report, policy, golden folders.
            #[must_use]
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id),* } }

            /// The extension that an output of this format gets, without the dot.
            #[must_use]
            pub const fn extension(self) -> &'static str { match self { $(Self::$variant => $ext),* } }

            /// How dangerous a file of this format is by its nature.
            #[must_use]
            pub const fn risk_class(self) -> RiskClass { match self { $(Self::$variant => RiskClass::$class),* } }

            /// The format in words that a technician reads.
            #[must_use]
            pub const fn words(self) -> &'static str { match self { $(Self::$variant => $words),* } }
        }
    };
}

formats! {
    // Rebuilt today.
    Txt "txt" "txt" Document "plain text";
    Csv "csv" "csv" Document "comma-separated table";
    Tsv "tsv" "tsv" Document "tab-separated table";
    Png "png" "png" Document "PNG picture";
    Jpeg "jpeg" "jpg" Document "JPEG picture";
    Gif "gif" "gif" Document "GIF picture";
    Bmp "bmp" "bmp" Document "BMP picture";
    Tiff "tiff" "tif" Document "TIFF picture";
    Webp "webp" "webp" Document "WebP picture";
    Pdf "pdf" "pdf" Document "PDF document";
    Docx "docx" "docx" Document "Word document";
    Docm "docm" "docm" Document "Word document with macros";
    Dotx "dotx" "dotx" Document "Word template";
    Dotm "dotm" "dotm" Document "Word template with macros";
    Xlsx "xlsx" "xlsx" Document "Excel workbook";
    Xlsm "xlsm" "xlsm" Document "Excel workbook with macros";
    Xltx "xltx" "xltx" Document "Excel template";
    Xltm "xltm" "xltm" Document "Excel template with macros";
    Pptx "pptx" "pptx" Document "PowerPoint presentation";
    Pptm "pptm" "pptm" Document "PowerPoint presentation with macros";
    Ppsx "ppsx" "ppsx" Document "PowerPoint show";
    Ppsm "ppsm" "ppsm" Document "PowerPoint show with macros";
    Potx "potx" "potx" Document "PowerPoint template";
    Potm "potm" "potm" Document "PowerPoint template with macros";
    Zip "zip" "zip" Archive "ZIP archive";
    // Known, and not rebuilt yet.
    Xlsb "xlsb" "xlsb" Document "binary Excel workbook";
    OoxmlOther "ooxml-other" "bin" Document "Open Packaging document of another kind";
    Doc "doc" "doc" Document "Word 97 document";
    Xls "xls" "xls" Document "Excel 97 workbook";
    Ppt "ppt" "ppt" Document "PowerPoint 97 presentation";
    Msg "msg" "msg" Document "Outlook message";
    OleOther "ole" "bin" Document "OLE2 compound file";
    OoxmlEncrypted "ooxml-encrypted" "bin" Document "encrypted Office document";
    Odf "odf" "odt" Document "OpenDocument file";
    Epub "epub" "epub" Document "EPUB book";
    Rtf "rtf" "rtf" Document "RTF document";
    Html "html" "html" Document "HTML page";
    Svg "svg" "svg" Document "SVG drawing";
    Xml "xml" "xml" Document "XML file";
    Json "json" "json" Document "JSON file";
    Eml "eml" "eml" Document "mail message";
    Mbox "mbox" "mbox" Document "mailbox";
    PostScript "postscript" "ps" Script "PostScript program";
    Ico "ico" "ico" Document "icon";
    Metafile "metafile" "emf" Document "Windows metafile";
    PictureOther "picture-other" "bin" Document "picture of another kind";
    Audio "audio" "bin" Document "sound file";
    Video "video" "bin" Document "video file";
    Font "font" "bin" Document "font";
    Sylk "sylk" "slk" Document "SYLK or DIF table";
    Cad "cad" "bin" Document "CAD drawing";
    Database "database" "bin" Document "database file";
    Tar "tar" "tar" Archive "tar archive";
    Gzip "gzip" "gz" Archive "gzip stream";
    Bzip2 "bzip2" "bz2" Archive "bzip2 stream";
    Xz "xz" "xz" Archive "xz stream";
    Zstd "zstd" "zst" Archive "zstd stream";
    SevenZip "7z" "7z" Archive "7-Zip archive";
    Rar "rar" "rar" Archive "RAR archive";
    Cab "cab" "cab" Archive "cabinet";
    ArchiveOther "archive-other" "bin" Archive "archive of another kind";
    // Never pass.
    Pe "pe" "bin" Executable "Windows program";
    Elf "elf" "bin" Executable "Linux program";
    MachO "mach-o" "bin" Executable "macOS program";
    Dos "dos" "bin" Executable "DOS program";
    JavaArchive "jar" "bin" Executable "Java or Android package";
    JavaClass "java-class" "bin" Executable "Java class";
    Wasm "wasm" "bin" Executable "WebAssembly program";
    Dex "dex" "bin" Executable "Android program";
    Installer "installer" "bin" Executable "installer";
    DiskImage "disk-image" "bin" Archive "disk image";
    Shortcut "shortcut" "bin" Script "shortcut";
    Autorun "autorun" "bin" Script "autorun or shell file";
    Script "script" "bin" Script "script";
    Chm "chm" "bin" Executable "compiled HTML help";
    // Not recognised.
    Empty "empty" "txt" Unknown "empty file";
    Unknown "unknown" "bin" Unknown "file of unknown type";
}

impl Format {
    /// The Word, Excel and PowerPoint kinds of Office Open XML that are rebuilt.
    #[must_use]
    pub const fn is_ooxml(self) -> bool {
        self.is_word() || self.is_excel() || self.is_powerpoint()
    }

    /// Word kinds.
    #[must_use]
    pub const fn is_word(self) -> bool {
        matches!(self, Self::Docx | Self::Docm | Self::Dotx | Self::Dotm)
    }

    /// Excel kinds.
    #[must_use]
    pub const fn is_excel(self) -> bool {
        matches!(self, Self::Xlsx | Self::Xlsm | Self::Xltx | Self::Xltm)
    }

    /// PowerPoint kinds.
    #[must_use]
    pub const fn is_powerpoint(self) -> bool {
        matches!(self, Self::Pptx | Self::Pptm | Self::Ppsx | Self::Ppsm | Self::Potx | Self::Potm)
    }

    /// Raster pictures that are rebuilt.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Bmp | Self::Tiff | Self::Webp)
    }

    /// The macro-free twin: what a macro-enabled kind is written as.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "every kind without macros is its own twin")]
    pub const fn without_macros(self) -> Self {
        match self {
            Self::Docm => Self::Docx,
            Self::Dotm => Self::Dotx,
            Self::Xlsm => Self::Xlsx,
            Self::Xltm => Self::Xltx,
            Self::Pptm => Self::Pptx,
            Self::Ppsm => Self::Ppsx,
            Self::Potm => Self::Potx,
            other => other,
        }
    }

    /// The format with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.id() == id)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_find_their_way_back() {
        for format in Format::ALL {
            assert_eq!(Format::from_id(format.id()), Some(*format));
        }
        assert_eq!(Format::from_id("nonsense"), None);
    }
}
