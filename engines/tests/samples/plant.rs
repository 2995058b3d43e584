//! Samples of `plant.yar`.

use super::{CD_REST, Sample, sample};

const ENTRY: &[u8] = b"PK\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const ZIP: &[u8] = b"PK\x03\x04\x14\0";

pub const SAMPLES: &[Sample] = &[
    sample(
        "Step7_Project_With_Library",
        &[ZIP, ENTRY, b"\x0a\0", CD_REST, b"pump/a.s7p", ENTRY, b"\x14\0", CD_REST, b"pump/hOmSave7/a", b"b.dll"],
        &[ZIP, ENTRY, b"\x0a\0", CD_REST, b"pump/a.s7p", ENTRY, b"\x14\0", CD_REST, b"pump/hOmSave7/ab.dbf"],
    ),
    sample(
        "Plc_Project_With_Program",
        &[ZIP, ENTRY, b"\x0b\0", CD_REST, b"pump/a.ap18", ENTRY, b"\x0a\0", CD_REST, b"pump/b", b".dll"],
        &[ZIP, ENTRY, b"\x0b\0", CD_REST, b"pump/a.ap18", ENTRY, b"\x0a\0", CD_REST, b"pump/b.xml"],
    ),
    sample(
        "Plc_Memory_Card_Job",
        &[ZIP, ENTRY, b"\x0b\0", CD_REST, b"S7_JO", b"B.S7S\0"],
        &[ZIP, ENTRY, b"\x0b\0", CD_REST, b"S7_JOBS.txt"],
    ),
    sample(
        "Cad_Autoload_In_Archive",
        &[ZIP, ENTRY, b"\x0d\0", CD_REST, b"a/acad", b"doc.lsp"],
        &[ZIP, ENTRY, b"\x0d\0", CD_REST, b"a/library.lsp"],
    ),
    sample(
        "AutoLISP_Runs_Program",
        &[b"(defun S::STARTUP () (start", b"app \"calc\"))"],
        &[b"(defun c:pump () (command \"_.circle\" '(0 0) 5))"],
    ),
    sample(
        "AutoLISP_Spreads",
        &[b"(setq p (findfile \"acad", b"doc.lsp\"))\n(vl-file-", b"copy p (strcat (getvar \"dwgprefix\") \"acaddoc.lsp\"))"],
        &[b"(setq p (findfile \"acaddoc.lsp\"))\n(princ p)"],
    ),
    sample("Compiled_AutoLISP", &[b"\r\n FAS4-", b"FILE ; Do not change it!\r\n"], &[b"; FAS4 files are not taken\r\n"]),
    sample(
        "Hmi_Script_Runs_Program",
        &[b"Sub OnClick(Item)\nHMIRuntime.Tags(\"a\").Write 1\nSet s = CreateObject(\"WScript.", b"Shell\")\nEnd Sub\n"],
        &[b"Sub OnClick(Item)\nHMIRuntime.Tags(\"a\").Write 1\nEnd Sub\n"],
    ),
    sample(
        "Codesys_Script_Runs_Program",
        &[b"from scriptengine import *\nimport subprocess\nsubprocess.Po", b"pen(['calc'])\n"],
        &[b"from scriptengine import *\nproj = projects.open('a.project')\nproj.save()\n"],
    ),
    sample(
        "Structured_Text_With_Native_Code",
        &[b"FUNCTION_BLOCK pump\nVAR x : INT; END_VAR\n{{ sys", b"tem(\"reboot\"); }}\nEND_FUNCTION_BLOCK\n"],
        &[b"FUNCTION_BLOCK pump\nVAR x : INT; END_VAR\n{attribute 'hide'}\n(* the system (old) *)\nEND_FUNCTION_BLOCK\n"],
    ),
    sample(
        "Script_Commands_Controller",
        &[b"import snap7\nc = snap7.client.Client()\nc.plc_st", b"op()\n"],
        &[b"import snap7\nc = snap7.client.Client()\nprint(c.get_cpu_state())\n"],
    ),
    sample(
        "Script_Commands_Substation",
        &[b"import c104\nt = c104.Type.C_SC", b"_NA_1\n"],
        &[b"import c104\nt = c104.Type.M_ME_NC_1\n"],
    ),
    sample(
        "Script_Lists_Opc_Servers",
        &[b"Set o = CreateObject(\"OPC.Auto", b"mation\")\na = o.GetOPCServers(\"192.0.2.1\")\n"],
        &[b"Set o = CreateObject(\"OPC.Automation\")\no.Connect \"Vendor.Server\"\n"],
    ),
    sample(
        "Slicer_Profile_Runs_Program",
        &[b"; layer_height = 0.2\n; post_process = C:\\a\\b", b".exe\n"],
        &[b"; layer_height = 0.2\n; post_process = \n; gcode.exe is no program here\n"],
    ),
];
