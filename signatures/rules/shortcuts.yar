// Files that the shell of a computer acts on as soon as somebody looks at them or double-clicks.

rule Autorun_Inf
{
    meta:
        description = "autorun.inf that starts a program from a removable medium"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "USB-10"
        attack = "T1091"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = /(^|\n)[ \t]*\[autorun(\.[a-z0-9]{1,16})?\]/ nocase
        $starts = /\n[ \t]*(open|shellexecute|shell\\[^=\r\n]{1,64}\\command)[ \t]*=/ nocase
    condition:
        filesize < 64KB and $section and $starts
}

rule Windows_Shortcut
{
    meta:
        description = "Windows shortcut (.lnk)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 40
        vector = "LNK-01"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // MS-SHLLINK 2.1: HeaderSize and LinkCLSID.
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
    condition:
        $header at 0
}

rule Windows_Shortcut_Control_Panel_Exploit
{
    meta:
        description = "Shortcut that has the shell load a library as a control panel icon (CVE-2010-2568)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "USB-25"
        attack = "T1203,T1091"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        // Control Panel, {21EC2020-3AEA-1069-A2DD-08002B30309D}, as an item id.
        $control_panel = { 20 20 EC 21 EA 3A 69 10 A2 DD 08 00 2B 30 30 9D }
        $usb_volume = "\\\\.\\STORAGE#" wide nocase
        $temporary = "~WTR4" wide
        $library = /[a-z0-9_~-]\x00\.\x00(d\x00l\x00l|t\x00m\x00p)\x00\x00\x00/ nocase
    condition:
        $header at 0 and $control_panel and any of ($usb_volume, $temporary, $library)
}

rule Internet_Shortcut_To_File
{
    meta:
        description = "Internet shortcut that opens a file or a share, or fetches its icon from one"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "LNK-02"
        attack = "T1187,T1204.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = "[InternetShortcut]" nocase
        $file = /\n[ \t]*(url|iconfile|workingdirectory)[ \t]*=[ \t]*(file:|\\\\)/ nocase
    condition:
        filesize < 64KB and $section and $file
}

rule Search_Library_On_Share
{
    meta:
        description = "Library or search connector that points the Windows Explorer at a share or a web folder"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-03"
        attack = "T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $library = "<libraryDescription" ascii wide nocase
        $connector = "<searchConnectorDescription" ascii wide nocase
        $remote = /<url>\s{0,16}(\\\\|https?:|file:\/\/[^\/])/ ascii wide nocase
    condition:
        filesize < 1MB and ($library or $connector) and $remote
}
