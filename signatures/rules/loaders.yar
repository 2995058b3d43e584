// Scripts that unpack, hide or fasten themselves, and what attackers type once they are in.

rule Encoded_Windows_Script
{
    meta:
        description = "Script in Microsoft's encoding (.jse, .vbe)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SCR-01"
        attack = "T1027.013,T1059.005"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $whole = /#@~\^[A-Za-z0-9+\/]{6}==/
        $marked = /language[ \t]*=[ \t]*["']?(JScript|VBScript)\.Encode/ nocase
    condition:
        $whole in (0 .. 4096) or $marked
}

rule Script_Evaluates_Hidden_Text
{
    meta:
        description = "Script that puts its code together from numbers or base64 and runs it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "SCR-01"
        attack = "T1027.010,T1059.007,T1059.005"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $eval_codes = /\b(eval|Function|setTimeout)[ \t]{0,8}\([ \t]{0,8}(String\.fromCharCode[ \t]{0,8}\(|unescape[ \t]{0,8}\([ \t]{0,8}["']%|atob[ \t]{0,8}\()/
        $execute = /\bExecute(Global)?[ \t(]{1,8}(chrw?[ \t]{0,4}\([ \t]{0,4}[0-9&(][^\r\n]{0,12}\)[ \t]{0,4}[&+][ \t]{0,4}chrw?|StrReverse[ \t]{0,4}\()/ nocase
    condition:
        any of them
}

rule PowerShell_Unpacks_Code
{
    meta:
        description = "PowerShell that decodes a packed program or script and runs it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "SCR-02"
        attack = "T1059.001,T1027,T1620"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $base64 = "FromBase64String" ascii wide nocase
        $unpack = /\b(GzipStream|DeflateStream)\b/ ascii wide nocase
        $assembly = /Reflection\.Assembly\]?['"]?\)?::["']?Load\b/ ascii wide nocase
        $memory = /\bVirtualAlloc\b|GetDelegateForFunctionPointer/ ascii wide nocase
        $run = /\b(IEX|Invoke-Expression)\b|\.Invoke\(/ ascii wide nocase
    condition:
        $base64 and ($assembly or $memory or ($unpack and $run))
}

rule Script_Switches_Off_Protection
{
    meta:
        description = "Script that switches off or blinds the protection of Windows"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "SCR-02"
        attack = "T1562.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $defender = /\b(Set|Add)-MpPreference[^\r\n]{0,200}-(Disable[a-z]{1,40}|Exclusion(Path|Process|Extension))/ ascii wide nocase
        $amsi = "amsiInitFailed" ascii wide nocase
        $buffer = "AmsiScanBuffer" ascii wide nocase
        $patch = /\bVirtualProtect\b|GetProcAddress/ ascii wide nocase
        $service = /\b(sc(\.exe)?[ \t]+(stop|delete|config)|net(\.exe)?[ \t]+stop)[ \t]+["']?(WinDefend|Sense|MsMpSvc|wscsvc|SecurityHealthService)\b/ ascii wide nocase
    condition:
        $defender or $amsi or $service or ($buffer and $patch)
}

rule Batch_Cuts_Words_From_Variables
{
    meta:
        description = "Batch file that cuts its words letter by letter out of a variable"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SCR-01"
        attack = "T1027.010,T1059.003"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $cut = /%[a-z_][a-z0-9_]{0,40}:~-?[0-9]{1,3},1%[%a-z^]/ nocase
    condition:
        filesize < 16MB and #cut > 20
}

rule Python_Runs_Packed_Code
{
    meta:
        description = "Python that unpacks code and runs it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "SCR-01"
        attack = "T1059.006,T1027"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $run = /\b(exec|eval)[ \t]{0,4}\([ \t]{0,4}((compile|zlib\.decompress|gzip\.decompress|bytes|__import__[ \t]{0,4}\(['"](zlib|base64|marshal|codecs)['"]\)\.[a-z0-9_]{1,20})[ \t]{0,4}\([ \t]{0,4}){0,3}((base64|codecs|marshal|zlib|binascii)\.(b64decode|b32decode|b85decode|decode|loads|decompress|unhexlify)|__import__[ \t]{0,4}\(['"](zlib|base64|marshal|codecs))/
    condition:
        $run
}

rule Shell_Runs_Download
{
    meta:
        description = "Shell script that runs what it fetches, or hands a shell to the network"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SCR-01"
        attack = "T1059.004,T1105"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $pipe = /\b(curl|wget)[ \t][^\r\n|]{1,300}\|[ \t]{0,4}(sudo[ \t]+)?(ba|da|z|k)?sh\b/
        $decoded = /\bbase64[ \t]+(-d|--decode|-D)[^\r\n|]{0,100}\|[ \t]{0,4}(sudo[ \t]+)?(ba|da|z|k)?sh\b/
        $reverse = /\b(ba|da|z|k)?sh[ \t]+-i[ \t]{0,4}(>&|[0-9]?<>?)[ \t]{0,4}\/dev\/tcp\//
        $netcat = /\b(nc|ncat|netcat)[ \t][^\r\n]{0,80}-e[ \t]{0,4}\/bin\/(ba|da)?sh\b/
    condition:
        any of them
}

rule Script_Destroys_Backups
{
    meta:
        description = "Script that deletes shadow copies or switches off recovery"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "SCR-02"
        attack = "T1490,T0809"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $shadow = /\bvssadmin(\.exe)?["']?[ \t]+(delete[ \t]+shadows|resize[ \t]+shadowstorage)/ ascii wide nocase
        $wmic = /\bshadowcopy[ \t]+delete\b|Win32_ShadowCopy[^\r\n]{0,120}(Delete|Remove-WmiObject)/ ascii wide nocase
        $backup = /\bwbadmin(\.exe)?["']?[ \t]+delete[ \t]+(catalog|systemstatebackup|backup)/ ascii wide nocase
        $boot = /\bbcdedit(\.exe)?["']?[ \t][^\r\n]{0,80}(recoveryenabled[ \t]+no|bootstatuspolicy[ \t]+ignoreallfailures)/ ascii wide nocase
    condition:
        any of them
}

rule Script_Fastens_Itself
{
    meta:
        description = "Command that has a shell or a script start by itself from now on"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "SCR-02"
        attack = "T1053.005,T1547.001,T1546.003"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $task = /\bschtasks(\.exe)?["']?[ \t]+\/create[^\r\n]{0,300}(powershell|mshta|wscript|cscript|rundll32|regsvr32|\\AppData\\|%temp%|%appdata%|\\Users\\Public\\)/ ascii wide nocase
        $run_key = /\breg(\.exe)?["']?[ \t]+add[ \t]+["']?HK(CU|LM|EY_CURRENT_USER|EY_LOCAL_MACHINE)\\[^\r\n]{0,80}\\CurrentVersion\\Run(Once)?\b/ ascii wide nocase
        $write = /\.RegWrite[ \t(]{1,4}["']HK(CU|LM)\\[^\r\n"']{0,80}\\CurrentVersion\\Run\\/ ascii wide nocase
        $consumer = /\b(ActiveScriptEventConsumer|CommandLineEventConsumer)\b/ ascii wide nocase
        $filter = "__FilterToConsumerBinding" ascii wide nocase
    condition:
        $task or $run_key or $write or ($consumer and $filter)
}

rule Build_File_Runs_Command
{
    meta:
        description = "Project file whose build starts a shell or compiles code of its own"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "MIS-06"
        attack = "T1127.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $project = /<Project[ >]/ nocase
        $task = /<UsingTask\s[^>]{0,400}TaskFactory[ \t]*=[ \t]*["'](Code|RoslynCode)TaskFactory/ nocase
        $code = /<Code\s[^>]{0,200}(Language|Type)[ \t]*=/ nocase
        $exec = /(<Exec\s[^>]{0,200}Command[ \t]*=[ \t]*["']|<(Pre|Post)BuildEvent>|<PreLinkEvent>\s{0,64}<Command>)[^<]{0,300}(powershell|mshta|certutil|bitsadmin|rundll32|regsvr32|wscript|cscript|curl )/ nocase
    condition:
        filesize < 16MB and $project and (($task and $code) or $exec)
}

rule Jndi_Lookup
{
    meta:
        description = "Text that has a logger of Java load code from elsewhere (CVE-2021-44228)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "XML-12"
        attack = "T1190"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $plain = /\$\{jndi:(ldaps?|rmi|dns|iiop|corba|nis|nds|https?):/ nocase
        $nested = /\$\{(\$\{[^}]{1,20}\}|[jndi]){1,12}(:|\$\{[^}]{0,12}:\})(\$\{[^}]{1,20}\}|[ldaprmins]){3,12}:\/\// nocase
    condition:
        any of them
}

rule Table_Formula_Sends_Data
{
    meta:
        description = "Cell of a text table that has a spreadsheet send cells to the web"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "CSV-01"
        attack = "T1559.002,T1041"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $formula = /(^|[\r\n,;\t"])[ \t]{0,4}[=+@-][ \t]{0,4}(HYPERLINK|WEBSERVICE|IMAGE|IMPORT(XML|DATA|HTML|FEED|RANGE))[ \t]{0,4}\([ \t]{0,4}(CONCATENATE[ \t]{0,4}\([ \t]{0,4})?"{1,2}https?:[^"\r\n]{1,300}"{1,2}[ \t]{0,4}[&,][ \t]{0,4}\$?[A-Z]{1,3}\$?[0-9]/ nocase
    condition:
        filesize < 64MB and $formula
}

rule TeX_Runs_Command
{
    meta:
        description = "TeX source that runs a shell command"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "TXT-06"
        attack = "T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $write = /\\(immediate[ \t]{0,4})?\\?write18[ \t]{0,4}\{/
        $pipe = /\\(input|openin[0-9a-z\\]{0,8}=?)[ \t]{0,4}\{?"?\|[ \t]{0,4}"?[a-z]{2}/
        $lua = /\\directlua[ \t]{0,4}\{[^}]{0,200}(os\.execute|io\.popen)/
    condition:
        any of them
}
