// Scripts of Windows and of web servers. Suspicious: a script as such is withheld by its type, one inside a document
// is not rebuilt, and a manual that quotes one must not be lost.

rule PowerShell_Encoded_Command
{
    meta:
        description = "PowerShell started with a base64 command"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "SCR-02"
        attack = "T1059.001,T1027.010"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $encoded = /\b(powershell|pwsh)(\.exe)?["']?[ \t][^\r\n]{0,200}[-\/]e(c|nc?|nco|ncod|ncode|ncoded|ncodedc[a-z]{0,6})?[ \t]+["']?[A-Za-z0-9+\/]{32}/ ascii wide nocase
    condition:
        $encoded
}

rule PowerShell_Download_Cradle
{
    meta:
        description = "PowerShell that fetches text and runs it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SCR-02"
        attack = "T1059.001,T1105"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $run = /\b(IEX|Invoke-Expression)\b/ ascii wide nocase
        $web_client = /Net\.WebClient['"]?\)?\.?/ ascii wide nocase
        $fetch = /\.Download(String|File|Data)[ \t]*\(/ ascii wide nocase
        $request = /\b(Invoke-WebRequest|Invoke-RestMethod|Start-BitsTransfer)\b/ ascii wide nocase
    condition:
        $run and (($web_client and $fetch) or $request)
}

rule Windows_Tool_Runs_Remote_Code
{
    meta:
        description = "A tool that comes with Windows is told to fetch, decode or run foreign code"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SCR-02"
        attack = "T1218.005,T1218.010,T1218.011,T1140,T1197"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $mshta = /\bmshta(\.exe)?["']?[ \t]+["']?(https?:|javascript:|vbscript:)/ ascii wide nocase
        $regsvr32 = /\bregsvr32(\.exe)?["']?[ \t][^\r\n]{0,80}\/i:["']?https?:[^\r\n]{0,300}scrobj/ ascii wide nocase
        $certutil = /\bcertutil(\.exe)?["']?[ \t][^\r\n]{0,80}[-\/](urlcache|decode(hex)?|verifyctl)[ \t]/ ascii wide nocase
        $bitsadmin = /\bbitsadmin(\.exe)?["']?[ \t][^\r\n]{0,80}\/(transfer|addfile)[ \t]/ ascii wide nocase
        $rundll32 = /\brundll32(\.exe)?["']?[ \t]+["']?(javascript:|\\\\[a-z0-9.]{1,64}@?[0-9a-z]{0,8}\\)/ ascii wide nocase
        $msiexec = /\bmsiexec(\.exe)?["']?[ \t][^\r\n]{0,40}\/(i|package)[ \t]{0,4}["']?https?:/ ascii wide nocase
    condition:
        any of them
}

rule Script_Downloads_And_Runs
{
    meta:
        description = "Windows script that fetches a file, saves it and starts it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "SCR-01"
        attack = "T1059.005,T1059.007,T1105"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $shell = /\b(WScript\.Shell|Shell\.Application)\b/ ascii wide nocase
        $request = /\b(MSXML2\.(Server)?XMLHTTP|Microsoft\.XMLHTTP|WinHttp\.WinHttpRequest)/ ascii wide nocase
        $stream = "ADODB.Stream" ascii wide nocase
        $save = "SaveToFile" ascii wide nocase
    condition:
        $shell and $request and $stream and $save
}

rule Web_Shell_Evaluates_Request
{
    meta:
        description = "Server-side script that runs what a request or a packed text says"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "SCR-01"
        attack = "T1505.003"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $php = /<\?(php|=)/ nocase
        $packed = /\b(eval|assert)[ \t]{0,8}\([ \t@]{0,8}((gz(inflate|uncompress)|str_rot13)[ \t]{0,8}\([ \t]{0,8}){0,2}base64_decode[ \t]{0,8}\(/ nocase
        $request = /\b(eval|assert|system|passthru|shell_exec|popen|proc_open)[ \t]{0,8}\([ \t@]{0,8}\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
        $asp = /<%[^%]{0,200}\b(eval|execute)[ \t]{0,8}\(?[ \t]{0,8}request[ \t]{0,8}[.(]/ nocase
    condition:
        ($php and ($packed or $request)) or $asp
}
