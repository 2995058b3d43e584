// Macro source, as the reconstructor exports it. Suspicious only: the rebuilt document has no macro.

rule VBA_Auto_Exec_Spawns_Program
{
    meta:
        description = "VBA that runs when the document opens and starts a program"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "OLE-02"
        attack = "T1059.005,T1137.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $auto = /\bSub[ \t]+(Auto_?(Open|Exec|New|Close)|Document_?(Open|New|Close|BeforeClose)|Workbook_?(Open|Activate|BeforeClose)|Presentation_?Open)\b/ nocase
        $control = /\bSub[ \t]+\w{1,40}_(Layout|Painted|GotFocus|MouseMove|Resize)\b/ nocase
        $shell = /([\r\n=(:]|\b(Call|Then|Else))[ \t]{0,40}Shell([ \t]{0,8}[("]|[ \t]{1,8}[a-z])/ nocase
        $object = /\b(CreateObject|GetObject)[ \t]{0,8}\([ \t]{0,8}"?(WScript\.Shell|Shell\.Application|Schedule\.Service|winmgmts:|new:)/ nocase
        $api = /\b(ShellExecute[AW]?|WinExec|CreateProcess[AW]?|VirtualAlloc(Ex)?|RtlMoveMemory|CreateThread)\b/ nocase
    condition:
        ($auto or $control) and ($shell or $object or $api)
}

rule VBA_Auto_Exec_Downloads
{
    meta:
        description = "VBA that runs when the document opens and fetches a file"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "OLE-02"
        attack = "T1059.005,T1105"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $auto = /\bSub[ \t]+(Auto_?(Open|Exec|New|Close)|Document_?(Open|New|Close|BeforeClose)|Workbook_?(Open|Activate|BeforeClose)|Presentation_?Open)\b/ nocase
        $download = "URLDownloadToFile" nocase
        $request = /"(MSXML2\.(Server)?XMLHTTP|Microsoft\.XMLHTTP|WinHttp\.WinHttpRequest)/ nocase
        $stream = "ADODB.Stream" nocase
    condition:
        $auto and ($download or ($request and $stream))
}

rule XLM_Macro_Sheet_Calls_System
{
    meta:
        description = "Excel 4.0 macro sheet that starts programs or calls libraries"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "OOX-05"
        attack = "T1059,T1137"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $sheet = /<([a-z]{1,8}:)?macrosheet\b/ nocase
        $call = /<f[^>]{0,200}>[^<]{0,400}\b(EXEC|CALL|REGISTER)\(/ nocase
        $download = "URLDownloadToFile" nocase
    condition:
        $sheet and ($call or $download)
}

rule VBA_Auto_Exec_Hides_Text
{
    meta:
        description = "VBA that runs when the document opens and puts its words together from numbers"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "OLE-02"
        attack = "T1059.005,T1027.010"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $auto = /\bSub[ \t]+(Auto_?(Open|Exec|New|Close)|Document_?(Open|New|Close|BeforeClose)|Workbook_?(Open|Activate|BeforeClose)|Presentation_?Open)\b/ nocase
        $number = /\bChr[BW]?\$?[ \t]{0,4}\([ \t]{0,4}([0-9]{1,3}|&H[0-9a-f]{1,4})([ \t]{0,4}(Xor|[-+*\/])[ \t]{0,4}[0-9]{1,5}){0,2}[ \t]{0,4}\)[ \t]{0,4}[&+]/ nocase
        $reverse = /\bStrReverse[ \t]{0,4}\([ \t]{0,4}"/ nocase
        $run = /\b(CreateObject|GetObject|CallByName|ExecuteExcel4Macro)\b|\bShell[ \t]{0,4}[( "]/ nocase
    condition:
        $auto and $run and (#number > 12 or #reverse > 1)
}

rule VBA_Declares_Injection_Calls
{
    meta:
        description = "VBA that declares the calls by which code is put into memory and started"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "OLE-02"
        attack = "T1055,T1106"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $declare = /\bDeclare[ \t]+(PtrSafe[ \t]+)?(Function|Sub)[ \t]/ nocase
        $allocate = /\b(VirtualAlloc(Ex)?|HeapCreate|NtAllocateVirtualMemory|VirtualProtect(Ex)?)\b/ nocase
        $write = /\b(RtlMoveMemory|WriteProcessMemory|NtWriteVirtualMemory|WriteVirtualMemory)\b/ nocase
        $start = /\b(CreateThread|CreateRemoteThread|QueueUserAPC|EnumSystemLocales[AW]?|EnumWindows|SetTimer|CallWindowProc[AW]?|EnumDateFormats[AW]?|EnumUILanguages[AW]?|CreateTimerQueueTimer)\b/ nocase
    condition:
        $declare and $allocate and $write and $start
}

rule VBA_Lowers_Macro_Security
{
    meta:
        description = "VBA that switches off the protection against macros"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "OLE-02"
        attack = "T1562.001,T1112"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $value = /\b(AccessVBOM|VBAWarnings|DisableInternetFilesInPV|DisableAttachmentsInPV|DisableUnsafeLocationsInPV)\b/ nocase
        $write = /\bRegWrite\b|\breg(\.exe)?[ \t]+add\b|System\.PrivateProfileString|RegSetValue/ nocase
        $virus_protection = /Options\.VirusProtection[ \t]*=[ \t]*(0|False)/ nocase
    condition:
        ($value and $write) or $virus_protection
}

rule VBA_Copies_Itself
{
    meta:
        description = "VBA that writes its own source into other documents: a macro virus"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "OLE-02"
        attack = "T1080,T1137.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $project = /\.VBProject\.VBComponents\b/ nocase
        $into = /\b(NormalTemplate|ActiveDocument|ActiveWorkbook|ThisWorkbook|ThisDocument|Workbooks\()/ nocase
        $take = /\.CodeModule\.Lines[ \t]{0,4}\(|\.Export[ \t]+|OrganizerCopy/ nocase
        $put = /\.(InsertLines|AddFromString|AddFromFile|Import)\b|OrganizerCopy/ nocase
    condition:
        $project and $into and $take and $put
}
