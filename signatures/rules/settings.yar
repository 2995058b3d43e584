// Small files that Windows and other desktops act on: shortcuts of many kinds, settings, add-ins, installers' scripts.

rule Shortcut_Runs_Interpreter
{
    meta:
        description = "Shortcut to a shell, a script host or a tool that runs foreign code"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "LNK-01"
        attack = "T1204.002,T1059.001,T1059.003"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $shell = /\b(powershell|pwsh\.exe|cmd\.exe|cmd \/c|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|forfiles|conhost\.exe|curl\.exe|ftp\.exe|installutil|msbuild)/ ascii wide nocase
    condition:
        $header at 0 and $shell
}

rule Shortcut_Hides_Arguments
{
    meta:
        description = "Shortcut whose arguments are pushed out of sight by white space (CVE-2025-9491)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "LNK-01"
        attack = "T1027.012,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $blank = /(( \x00){4}|(\t\x00){4}|(\n\x00){4}|(\r\x00\n\x00){2}|(\r\x00){4}|(\x0b\x00){4}|(\x0c\x00){4}){25}/
    condition:
        $header at 0 and $blank
}

rule Shortcut_To_Share
{
    meta:
        description = "Shortcut whose target or icon lies on a share or a web folder"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 55
        vector = "LNK-01"
        attack = "T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $path = /\\\\[a-z0-9][a-z0-9.-]{1,62}(@ssl|@[0-9]{1,5})?(\\davwwwroot)?\\[^\\\x00]/ wide nocase
        $web = "http://" wide nocase
        $web_secure = "https://" wide nocase
    condition:
        $header at 0 and any of ($path, $web*)
}

rule Shortcut_Carries_File
{
    meta:
        description = "Shortcut with a program, an archive or a page behind it, or far too large"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-01"
        attack = "T1027.009,T1027.012"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $program = { 4D 5A 90 00 03 00 00 00 }
        $archive = { 50 4B 03 04 ?? 00 }
        $pdf = "%PDF-1."
        $page = /<script[ >]/ nocase
    condition:
        $header at 0 and (filesize > 256KB or any of ($program, $archive, $pdf, $page))
}

rule Shell_Command_File_Remote_Icon
{
    meta:
        description = "Shell command file (.scf) that fetches its icon from a share"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "LNK-04"
        attack = "T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = /(^|\n)\[Shell\][\r\n]/ nocase
        $icon = /\nIconFile[ \t]*=[ \t]*\\\\/ nocase
    condition:
        filesize < 64KB and $section and $icon
}

rule Desktop_Ini_Loads_From_Share
{
    meta:
        description = "desktop.ini that takes an icon or a name from a share, or that makes its folder a program object"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-04"
        attack = "T1187,T1547"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = "[.ShellClassInfo]" ascii wide nocase
        $remote = /\n[ \t]*(IconResource|IconFile|LocalizedResourceName|InfoTip|Logo)[ \t]*=[ \t]*@?(\\\\|https?:)/ ascii wide nocase
        $class = /\n[ \t]*(CLSID2?|UICLSID)[ \t]*=[ \t]*\{/ ascii wide nocase
    condition:
        filesize < 64KB and $section and ($remote or $class)
}

rule Desktop_Entry_Runs_Shell
{
    meta:
        description = "Desktop entry of Linux (.desktop) that runs a shell command or fetches a file"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "LNK-02"
        attack = "T1204.002,T1059.004"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = "[Desktop Entry]"
        $exec = /\nExec[ \t]*=[^\r\n]{0,200}(\bsh -c|\bbash -c|\bcurl |\bwget |\bpython3? -c|\bbase64 -|\/dev\/tcp\/|\bperl -e|\bxxd -)/
    condition:
        filesize < 1MB and $section and $exec
}

rule Settings_Content_Runs_Program
{
    meta:
        description = "Settings shortcut (.settingcontent-ms) that starts a program instead of a settings page"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "LNK-03"
        attack = "T1204.002,T1202"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $schema = "windows/immersivecontrolpanel" ascii wide nocase
        $link = /<DeepLink>[^<]{0,400}(\.exe|\.dll|\.cmd|\.bat|\.vbs|powershell|mshta)/ ascii wide nocase
    condition:
        filesize < 1MB and $schema and $link
}

rule Search_Address_On_Share
{
    meta:
        description = "search-ms: address that shows a foreign share as a local search"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-03"
        attack = "T1187,T1204.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $address = /\bsearch(-ms)?:[^\s"'<>]{0,400}(crumb|subquery)=[^\s"'<>]{0,200}(\\\\|%5c%5c|https?:|location:[^\s"'<>]{0,8}%3a%5c)/ ascii wide nocase
    condition:
        $address
}

rule Console_File_With_Script
{
    meta:
        description = "Management console file (.msc) with a page that runs script"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "LNK-03"
        attack = "T1204.002,T1218.014"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $root = "<MMC_ConsoleFile" nocase
        $script = /res:\/\/apds\.dll|javascript:|vbscript:|transformNode|external\.Document\.ActiveView\.ExecuteShellCommand/ nocase
    condition:
        $root and $script
}

rule Scriptlet_File
{
    meta:
        description = "Windows script component (.sct, .wsc)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "LNK-06"
        attack = "T1218.010,T1059.007"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $root = /<(scriptlet|component|package)[ >]/ nocase
        $registration = /<registration\s/ nocase
        $script = /<script\s+language[ \t]*=[ \t]*["']?(jscript|vbscript|javascript)/ nocase
    condition:
        filesize < 4MB and $root and $registration and $script
}

rule Setup_Inf_Runs_Script
{
    meta:
        description = "Setup information file (.inf) that registers a script or runs a command"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-06"
        attack = "T1218.003,T1218.011"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = /\n\[(DefaultInstall[^\]\r\n]{0,40}|RunPreSetupCommandsSection|UnRegisterOCXSection)\]/ nocase
        $key = /\n[ \t]*(UnRegisterOCXs|RegisterOCXs|RunPreSetupCommands|RunPostSetupCommands)[ \t]*=/ nocase
        $script = /scrobj\.dll|\bNI,[^\r\n]{0,200}https?:|\b(powershell|mshta|wscript|cscript|certutil)\b|taskkill/ nocase
    condition:
        filesize < 1MB and $section and $key and $script
}

rule Scheduled_Task_Runs_Interpreter
{
    meta:
        description = "Scheduled task that runs a shell or a script host"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "LNK-06"
        attack = "T1053.005"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $schema = "schemas.microsoft.com/windows/2004/02/mit/task" ascii wide
        $command = /<Command>[^<]{0,200}(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|cmd(\.exe)?<)/ ascii wide nocase
    condition:
        filesize < 4MB and $schema and $command
}

rule Registry_File_Starts_Program
{
    meta:
        description = "Registry file that has a program start by itself or in place of another"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-06"
        attack = "T1547.001,T1546.012,T1112"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $key = /\n\[[^\]\r\n]{0,200}(\\CurrentVersion\\Run(Once)?|\\Winlogon|\\Image File Execution Options\\[^\]\r\n]{1,80}|\\Policies\\Explorer\\Run|\\shell\\open\\command|\\InprocServer32)\]/ ascii wide nocase
        $value = /\n("[^"\r\n]{1,80}"|@)[ \t]*=[ \t]*"[^\r\n]{1,400}(\.exe|\.dll|\.bat|\.cmd|\.vbs|\.js|\.ps1|powershell|mshta)/ ascii wide nocase
    condition:
        filesize < 16MB
        // "REGEDIT4", "Windows Registry Editor", the latter also in UTF-16 with its byte order mark.
        and (uint32be(0) == 0x52454745 or (uint32be(0) == 0x57696E64 and uint32be(8) == 0x52656769)
            or uint32be(0) == 0xFFFE5700)
        and $key and $value
}

rule Excel_Web_Query
{
    meta:
        description = "Web query (.iqy) that has Excel fetch a page"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "LNK-05"
        attack = "T1559.002,T1105"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $query = /WEB\r?\n1\r?\nhttps?:\/\//
    condition:
        filesize < 64KB and $query at 0
}

rule Sylk_Runs_Command
{
    meta:
        description = "SYLK table with a macro or a DDE formula that starts a program"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "CSV-05"
        attack = "T1559.002,T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $call = /\n[CEF];[^\r\n]{0,400}(EXEC\(|CALL\(|REGISTER\(|[=|;E](cmd|msexcel|mshta|powershell|rundll32|regsvr32)\|)/ nocase
    condition:
        uint32be(0) == 0x49443B50 and $call
}
