//! More samples of `web.yar`.

use super::{Sample, sample};

pub const SAMPLES: &[Sample] = &[
    sample(
        "PDF_Script_On_Open",
        &[b"%PDF-1.4\n1 0 obj << /OpenAction << /S /JavaSc", b"ript /JS (app.alert(1)) >> >>"],
        &[b"%PDF-1.4\n1 0 obj << /OpenAction << /S /GoTo /D [3 0 R /Fit] >> >>"],
    ),
    sample(
        "PDF_Obfuscated_Name",
        &[b"%PDF-1.4\n<< /S /J#61", b"vaScript /JS (x) >>"],
        &[b"%PDF-1.4\n<< /BaseFont /Times#20New#20Roman >>"],
    ),
    sample(
        "PDF_Carries_Program",
        &[b"%PDF-1.4\n<< /Type /EmbeddedFile >> << /Type /Filespec /F (setup", b".exe) >>"],
        &[b"%PDF-1.4\n<< /Type /EmbeddedFile >> << /Type /Filespec /F (invoice.xml) >>"],
    ),
    sample(
        "PDF_Script_Launches_Attachment",
        &[b"this.exportData", b"Object({ cName: 'a', nLaunch: 2 });"],
        &[b"this.exportDataObject({ cName: 'a' });"],
    ),
    sample(
        "PDF_Reaches_For_Share",
        &[b"%PDF-1.4\n<< /S /GoToR /F (\\\\\\\\192.0", b".2.1\\\\a.pdf) >>"],
        &[b"%PDF-1.4\n<< /S /GoToR /F (chapter2.pdf) >> << /URI (file://chapter3.pdf) >>"],
    ),
    sample(
        "PDF_Link_To_Program",
        &[b"%PDF-1.4\n<< /S /URI /URI (https://192.0.2.1/view", b"er.msi) >>"],
        &[b"%PDF-1.4\n<< /S /URI /URI (https://example.org/setup.exe.html) >>"],
    ),
    sample(
        "HTML_Runs_Windows_Script",
        &[b"<html><script>new ActiveXObject(\"WScript.Sh", b"ell\").Run(\"calc\")</script></html>"],
        &[b"<html><script>new ActiveXObject(\"Msxml2.DOMDocument\")</script></html>"],
    ),
    sample(
        "SVG_With_Script",
        &[b"<svg xmlns=\"http://www.w3.org/2000/svg\"><scr", b"ipt>var a</script></svg>"],
        &[b"<html><script>var a</script><svg></svg></html>"],
    ),
    sample(
        "SVG_Smuggles_File",
        &[b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>location.hr", b"ef = at", b"ob(x)</script></svg>"],
        &[b"<svg xmlns=\"http://www.w3.org/2000/svg\"><text>location.href = atob(x)</text></svg>"],
    ),
];
