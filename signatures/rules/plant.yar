// What is dangerous in a plant only: companions that engineering tools load with a project or a drawing, and scripts
// that reach for controllers.

rule Step7_Project_With_Library
{
    meta:
        description = "STEP 7 project in an archive with a library or a program in its folders"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "OT-01"
        attack = "T0873,T1574.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $project = /PK\x01\x02.{42}[^\x00-\x1f]{0,160}\.s7[pl]/is
        $library = /PK\x01\x02.{42}[^\x00-\x1f]{0,160}\.(dll|exe|ocx|cpl|sys|scr|com)/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #project) : (uint16(@project[i] + 28) + 46 == !project[i])
        and for any i in (1 .. #library) : (uint16(@library[i] + 28) + 46 == !library[i])
}

rule Plc_Project_With_Program
{
    meta:
        description = "Project of a PLC or HMI tool in an archive with a library, a program or a script beside it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "OT-25"
        attack = "T0873,T1574.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $project = /PK\x01\x02.{42}[^\x00-\x1f]{0,160}(\.ap1[0-9]|\.ap2[0-9]|\.plcproj|\.tsproj|\.project|\.projectarchive|\.acd|\.l5x|\.mcp|\.stu|\.zef|\.smbp|\.gxw|\.gx3|\.cxp|\.smc2|\.ckp|\.adpro|\.fhx|\.ccwsln|\.pcwex)/is
        $library = /PK\x01\x02.{42}[^\x00-\x1f]{0,160}\.(dll|exe|ocx|cpl|sys|scr|com|bat|cmd|vbs|js|hta|lnk|ps1|pth)/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #project) : (uint16(@project[i] + 28) + 46 == !project[i])
        and for any i in (1 .. #library) : (uint16(@library[i] + 28) + 46 == !library[i])
}

rule Plc_Memory_Card_Job
{
    meta:
        description = "Archive with the job file by which a controller takes a program or firmware from a memory card"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "OT-26"
        attack = "T0843,T0857"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $job = /PK\x01\x02.{42}([^\x00-\x1f]{0,160}[\/\\])?(S7_JOB\.S7S|S7_JOB\.SYS|FWUPDATE\.S7S|SIMATIC\.S7S[\/\\][^\x00-\x1f]{0,80})/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #job) : (uint16(@job[i] + 28) + 46 >= !job[i])
}

rule Cad_Autoload_In_Archive
{
    meta:
        description = "Archive with a file that AutoCAD loads together with the drawing beside it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "CAD-05"
        attack = "T1574,T1137"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /PK\x01\x02.{42}([^\x00-\x1f]{0,160}[\/\\])?(acad\.lsp|acaddoc\.lsp|acadapp\.lsp|acad\.fas|acaddoc\.fas|acad\.vlx|acaddoc\.vlx|acad\.mnl|acad\.rx|acad\.dvb|[^\x00-\x1f\/\\]{1,80}\.(arx|crx|dbx|vlx|dvb))/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #name) : (uint16(@name[i] + 28) + 46 == !name[i])
}

rule AutoLISP_Runs_Program
{
    meta:
        description = "AutoLISP that starts a program or reaches for the shell of Windows"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "CAD-05"
        attack = "T1059,T1574"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $defun = /\((defun|setq|vl-load-com|load)\b/ nocase
        $start = /\([ \t]{0,4}startapp[ \t\r\n]|\([ \t]{0,4}command[ \t]{1,4}"_?\.?(shell|sh)"|vlax-(create|get-or-create)-object[ \t]{1,4}"(WScript\.Shell|Shell\.Application|Scripting\.FileSystemObject|MSXML2\.|Microsoft\.XMLHTTP|WinHttp\.)/ nocase
    condition:
        filesize < 16MB and $defun and $start
}

rule AutoLISP_Spreads
{
    meta:
        description = "AutoLISP that copies itself into the files AutoCAD loads by itself"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "CAD-05"
        attack = "T1080,T1137,T1574"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $target = /acad(doc|app)?\.(lsp|mnl|fas|vlx)|acadiso\.lsp|base\.dcl/ nocase
        $copy = /\([ \t]{0,4}vl-file-copy[ \t\r\n]|\([ \t]{0,4}write-line[ \t]{1,4}[^\r\n]{0,120}\(load[ \t]/ nocase
        $where = /\([ \t]{0,4}findfile[ \t]{1,4}|"(dwgprefix|menuname)"/ nocase
    condition:
        filesize < 16MB and all of them
}

rule Compiled_AutoLISP
{
    meta:
        description = "Compiled AutoLISP (.fas, .vlx), whose source nobody sees"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "CAD-05"
        attack = "T1574,T1027"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $fas = /\r?\n? ?FAS4-FILE ;/
        $vlx = "VRTLIB-1"
    condition:
        $fas in (0 .. 16) or $vlx at 0
}

rule Hmi_Script_Runs_Program
{
    meta:
        description = "Script of an HMI or SCADA project that starts a program of Windows"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "OT-06"
        attack = "T0853,T0871"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $wincc = /\b(HMIRuntime\.(Tags|Screens|Trace|ActiveScreen|SmartTags)|SmartTags[ \t]{0,4}\(|SetTagBit\b|GetTagDWord\b)/ nocase
        $ignition = /\bsystem\.(tag\.(read|write)|gui\.|opc\.(read|write)|db\.run)/
        $vbs = /CreateObject[ \t]{0,4}\([ \t]{0,4}"(WScript\.Shell|Shell\.Application|MSXML2\.|Microsoft\.XMLHTTP|ADODB\.Stream)/ nocase
        $c = /\bProgramExecute[ \t]{0,4}\([ \t]{0,4}"[^"\r\n]{0,200}(cmd|powershell|mshta|wscript|rundll32)/ nocase
        $python = /\b(system\.util\.execute|Runtime\.getRuntime\(\)\.exec|subprocess\.(Popen|call|run)|os\.system)[ \t]{0,4}\(/
    condition:
        ($wincc and ($vbs or $c)) or ($ignition and $python)
}

rule Codesys_Script_Runs_Program
{
    meta:
        description = "Script for an engineering tool of the CODESYS family that starts programs or fetches files"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "OT-15"
        attack = "T0853,T1059.006"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $engine = /\b(from|import)[ \t]+scriptengine\b|\bprojects\.(open|primary|create)\b|\bonline\.create_online_application\b/
        $start = /\b(subprocess\.(Popen|call|run|check_output)|os\.(system|popen|startfile)|System\.Diagnostics|Process\.Start|urllib2?\.(request\.)?urlopen|ctypes\.windll|WebClient)\b/
    condition:
        filesize < 16MB and $engine and $start
}

rule Structured_Text_With_Native_Code
{
    meta:
        description = "IEC 61131-3 text with a pragma that hands C code to the compiler"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "OT-19"
        attack = "T0889,T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $pou = /\b(FUNCTION_BLOCK|PROGRAM|FUNCTION)[ \t]+[A-Za-z_][A-Za-z0-9_]{0,60}/
        $end = /\bEND_(FUNCTION_BLOCK|PROGRAM|FUNCTION)\b/
        $native = /\{\{?[^{}]{0,400}(\bsystem[ \t]{0,4}\(|\bpopen[ \t]{0,4}\(|\bexec[lv]p?e?[ \t]{0,4}\(|#include[ \t]{0,4}<|\bsocket[ \t]{0,4}\(|\bdlopen[ \t]{0,4}\()/
    condition:
        filesize < 64MB and all of them
}

rule Script_Commands_Controller
{
    meta:
        description = "Script that stops a controller or writes to its program or outputs"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "SCR-01"
        attack = "T0858,T0843,T0855"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $snap7 = /\b(import|from)[ \t]+snap7\b/
        $stop = /\.(plc_stop|plc_cold_start|plc_hot_start|delete|download|full_upload|set_session_password)[ \t]{0,4}\(/
        $logix = /\b(import|from)[ \t]+(pylogix|pycomm3|cpppo)\b/
        $write = /\.(Write|write|set_plc_time|SetPLCTime)[ \t]{0,4}\(/
        $modbus = /\b(import|from)[ \t]+(pymodbus|pyModbusTCP|umodbus|modbus_tk)\b/
        $coils = /\.write_(coils?|registers?|single_coil|multiple_coils|single_register|multiple_registers)[ \t]{0,4}\(/
    condition:
        filesize < 4MB and (($snap7 and $stop) or ($logix and $write) or ($modbus and $coils))
}

rule Script_Commands_Substation
{
    meta:
        description = "Script or settings that send commands of IEC 60870-5-104 or IEC 61850 to a substation"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SCR-01"
        attack = "T0855,T0806"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $library = /\b(import|from)[ \t]+(c104|lib60870|iec104|pyiec61850|iec61850)\b/
        $single = /\bC_(SC|DC|RC|SE)_N[ABC]_1\b/
        $select = /\b(ControlObjectClient_(operate|select)|IedConnection_writeBooleanValue)\b/
    condition:
        filesize < 4MB and $library and ($single or $select)
}

rule Script_Lists_Opc_Servers
{
    meta:
        description = "Script that looks for the OPC servers of a network and what they hold"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "SCR-01"
        attack = "T0846,T0861,T0888"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $automation = /(CreateObject|ActiveXObject|-ComObject|Dispatch)[ \t('"]{1,6}(OPC\.Automation|Graybox\.OPC|OPCEnum|OPC\.ServerList)/ nocase
        $class = "13486D51-4821-11D2-A494-3CB306C10000" ascii wide nocase
        $list = /\.(GetOPCServers|ShowBranches|ShowLeafs|EnumClassesOfCategories)\b/ nocase
    condition:
        filesize < 4MB and ($automation or $class) and $list
}

rule Slicer_Profile_Runs_Program
{
    meta:
        description = "Slicer profile or print file that has the slicer start a program after slicing"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "CAD-09"
        attack = "T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $setting = /(^|\n);?[ \t]*"?post_process"?[ \t]*[=:][ \t\[]*"?[^\r\n;\]"]{1,300}(\.exe|\.bat|\.cmd|\.py|\.ps1|\.sh|powershell|cmd \/c|python)/ nocase
    condition:
        $setting
}
