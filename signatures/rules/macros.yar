// Macro source, as the reconstructor exports it. Suspicious only: the rebuilt document has no macro.

rule VBA_Auto_Exec_Spawns_Program
{
    meta:
        description = "VBA that runs when the document opens and starts a program"
        severity = "suspicious"
        vector = "OLE-02"
        attack = "T1059.005,T1137.001"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
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
        severity = "suspicious"
        vector = "OLE-02"
        attack = "T1059.005,T1105"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
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
        severity = "suspicious"
        vector = "OOX-05"
        attack = "T1059,T1137"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
    strings:
        $sheet = /<([a-z]{1,8}:)?macrosheet\b/ nocase
        $call = /<f[^>]{0,200}>[^<]{0,400}\b(EXEC|CALL|REGISTER)\(/ nocase
        $download = "URLDownloadToFile" nocase
    condition:
        $sheet and ($call or $download)
}
