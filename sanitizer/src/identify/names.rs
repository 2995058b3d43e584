//! What a name promises. It is never believed, only compared (GEN-01), and it refines kinds of text.

use model::Format;

/// What an extension says about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Something that is read as plain text.
    Plain,
    /// This format.
    Is(Format),
}

/// Lower-case extension of the last component; empty where there is none.
pub fn extension(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name).trim_end_matches([' ', '.']);
    last.rsplit_once('.').map(|(_, ext)| ext.to_lowercase()).unwrap_or_default()
}

/// What a text of this extension is; `None` where the extension says nothing about texts.
pub fn text_kind(extension: &str) -> Option<TextKind> {
    Some(match extension {
        "txt" | "text" | "log" | "md" | "markdown" | "rst" | "ini" | "cfg" | "conf" | "asc" | "nfo" | "srt" | "ics"
        | "readme" => TextKind::Plain,
        "csv" => TextKind::Is(Format::Csv),
        "tsv" | "tab" => TextKind::Is(Format::Tsv),
        "json" | "geojson" | "jsonl" => TextKind::Is(Format::Json),
        "htm" | "html" | "xhtml" | "shtml" | "mht" | "mhtml" => TextKind::Is(Format::Html),
        "svg" => TextKind::Is(Format::Svg),
        "xml" | "xsd" | "dtd" | "rng" => TextKind::Is(Format::Xml),
        "eml" | "emlx" => TextKind::Is(Format::Eml),
        "mbox" => TextKind::Is(Format::Mbox),
        "slk" | "dif" => TextKind::Is(Format::Sylk),
        "ps" | "eps" | "prn" => TextKind::Is(Format::PostScript),
        "dxf" | "stp" | "step" | "p21" | "igs" | "iges" => TextKind::Is(Format::Cad),
        "url" | "desktop" | "website" | "webloc" | "lnk" | "pif" | "appref-ms" | "rdp" => {
            TextKind::Is(Format::Shortcut)
        }
        "inf" | "reg" | "scf" | "iqy" | "oqy" | "dqy" | "rqy" | "odc" | "library-ms" | "searchconnector-ms"
        | "search-ms" | "theme" | "themepack" | "settingcontent-ms" | "diagcab" | "diagcfg" | "application"
        | "manifest" | "service" | "htaccess" | "wsb" | "contact" => TextKind::Is(Format::Autorun),
        "bat" | "cmd" | "ps1" | "psm1" | "psd1" | "ps1xml" | "vbs" | "vbe" | "vb" | "js" | "jse" | "mjs" | "cjs"
        | "ts" | "hta" | "wsf" | "wsh" | "wsc" | "sct" | "sh" | "bash" | "zsh" | "ksh" | "csh" | "fish" | "command"
        | "tool" | "py" | "pyw" | "pyz" | "rb" | "pl" | "pm" | "php" | "php3" | "php5" | "phtml" | "phar" | "asp"
        | "aspx" | "ashx" | "jsp" | "jspx" | "cgi" | "tcl" | "lua" | "ahk" | "au3" | "applescript" | "scpt" | "awk"
        | "r" | "groovy" | "bas" | "cls" | "frm" | "swm" | "xsl" | "xslt" | "mst" | "gadget" => {
            TextKind::Is(Format::Script)
        }
        _ => return None,
    })
}

/// The formats that a name promises; empty where the extension is not known or promises nothing.
pub fn promised(extension: &str) -> &'static [Format] {
    use Format as F;
    match extension {
        "txt" | "text" | "log" | "md" | "ini" | "cfg" | "conf" => &[F::Txt],
        "csv" => &[F::Csv],
        "tsv" | "tab" => &[F::Tsv, F::Csv],
        "png" => &[F::Png],
        "jpg" | "jpeg" | "jpe" | "jfif" => &[F::Jpeg],
        "gif" => &[F::Gif],
        "bmp" | "dib" => &[F::Bmp],
        "tif" | "tiff" => &[F::Tiff],
        "webp" => &[F::Webp],
        "pdf" => &[F::Pdf],
        "docx" | "docm" | "dotx" | "dotm" => &[F::Docx, F::Docm, F::Dotx, F::Dotm, F::OoxmlEncrypted],
        "xlsx" | "xlsm" | "xltx" | "xltm" => &[F::Xlsx, F::Xlsm, F::Xltx, F::Xltm, F::OoxmlEncrypted],
        "pptx" | "pptm" | "ppsx" | "ppsm" | "potx" | "potm" => {
            &[F::Pptx, F::Pptm, F::Ppsx, F::Ppsm, F::Potx, F::Potm, F::OoxmlEncrypted]
        }
        "xlsb" => &[F::Xlsb, F::OoxmlEncrypted],
        "zip" => &[F::Zip],
        "doc" | "dot" => &[F::Doc, F::Rtf, F::Html],
        "xls" | "xlt" => &[F::Xls, F::Html, F::Xml],
        "ppt" | "pps" | "pot" => &[F::Ppt],
        "msg" => &[F::Msg],
        "odt" | "ods" | "odp" | "odg" | "ott" | "ots" | "otp" => &[F::Odf],
        "epub" => &[F::Epub],
        "rtf" => &[F::Rtf],
        "htm" | "html" | "xhtml" => &[F::Html, F::Xml],
        "svg" => &[F::Svg],
        "xml" => &[F::Xml, F::Svg, F::Html],
        "json" => &[F::Json],
        "eml" => &[F::Eml, F::Mbox],
        "ico" | "cur" => &[F::Ico],
        "emf" | "wmf" => &[F::Metafile],
        "tar" => &[F::Tar],
        "gz" | "tgz" => &[F::Gzip],
        "bz2" => &[F::Bzip2],
        "xz" => &[F::Xz],
        "zst" => &[F::Zstd],
        "7z" => &[F::SevenZip],
        "rar" => &[F::Rar],
        "cab" => &[F::Cab],
        "exe" | "dll" | "scr" | "cpl" | "ocx" | "sys" | "efi" => &[F::Pe, F::Dos],
        "com" => &[F::Dos],
        "elf" | "so" => &[F::Elf],
        "msi" | "msp" | "deb" | "rpm" | "appx" | "msix" => &[F::Installer],
        "jar" | "apk" | "war" => &[F::JavaArchive],
        "class" => &[F::JavaClass],
        "iso" | "img" | "vhd" | "vhdx" | "vmdk" | "qcow2" | "dmg" => &[F::DiskImage],
        "chm" => &[F::Chm],
        "lnk" | "url" | "desktop" => &[F::Shortcut],
        "mp3" | "wav" | "flac" | "ogg" | "mid" => &[F::Audio, F::Video],
        "mp4" | "avi" | "mkv" | "mov" | "webm" => &[F::Video],
        "ttf" | "otf" | "woff" | "woff2" => &[F::Font],
        "dwg" | "dxf" | "stp" | "step" => &[F::Cad],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_is_that_of_the_last_component() {
        assert_eq!(extension("a.b/c.TXT"), "txt");
        assert_eq!(extension("a.b/c"), "");
        assert_eq!(extension("x.exe. ."), "exe");
    }
}
