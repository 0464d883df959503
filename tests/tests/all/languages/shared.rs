//! What a handler is made of beside its own folder: files that it shares with
//! others, and packages of its language.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use gristmill_tests::succeed;
use serde_json::Value;

use super::{Setting, seed};

impl Setting {
    /// Builds, and gives what the handler prints for the seed event.
    fn printed(&self) -> String {
        fs::write(self.root.join("event.json"), seed().0).unwrap();
        let invoked = self.succeed(&["invoke", "--build", "--event", "event.json", "--output", "json"]).json();
        let lines = invoked["log"].as_array().unwrap();
        lines.iter().filter_map(|line| line["message"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// A file beside the handler counts as its own do: when it has changed, the
    /// handler is built again, and is not when it has not.
    fn follows(&self, shared: &str, text: &str) {
        self.write(shared, text);
        // A file that has just been written may be one that changed while the handler was built.
        let file = self.root.join(shared);
        for written in file.ancestors().take(2).chain([&*self.root.join("words/go.mod")]).filter(|path| path.exists()) {
            fs::File::open(written).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        assert_eq!(self.printed(), "one");
        assert!(self.succeed(&["build"]).stderr.contains("is as it was built before"));
        self.write(shared, &text.replace("one", "two"));
        assert_eq!(self.printed(), "two");
        self.write(shared, text);
        assert_eq!(self.printed(), "one");
    }
}

#[test]
fn a_handler_in_javascript_takes_packages_and_what_lies_beside_it() {
    let setting = Setting::new("js");
    let (handler, package) = ("handlers/clerk-file/src/index.js", "handlers/clerk-file/package.json");
    let mut manifest: Value = serde_json::from_str(&setting.read(package)).unwrap();
    manifest["dependencies"]["escape-html"] = "1.0.3".into();
    setting.write(package, &manifest.to_string());
    setting.write(
        handler,
        "import escape from 'escape-html';\nexport default (record) => console.log(escape(`<${record.eventName}>`));\n",
    );
    let ran = setting.run(&["build"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("depends on escape-html, and there is no package-lock.json"), "{}", ran.stderr);

    let folder = setting.root.join("handlers/clerk-file");
    let npm = ["install", "--package-lock-only", "--no-audit", "--no-fund"];
    succeed(Command::new("npm").args(npm).current_dir(&folder));
    let offline = setting.run(&["build", "--offline"]);
    assert_eq!(offline.code, 1);
    assert!(offline.stderr.contains("are not installed, and --offline forbids to"), "{}", offline.stderr);
    assert_eq!(setting.printed(), "&lt;MODIFY&gt;");

    fs::create_dir(setting.root.join("words")).unwrap();
    setting
        .write(handler, "import { word } from '../../../words/words.js';\nexport default () => console.log(word);\n");
    setting.follows("words/words.js", "export const word = 'one';\n");
}

#[test]
fn a_handler_in_go_takes_a_module_that_lies_beside_it() {
    let setting = Setting::new("go");
    let module = "handlers/clerk-file/go.mod";
    let more = "\nrequire example.com/words v0.0.0\n\nreplace example.com/words => ../../words\n";
    setting.write(module, &(setting.read(module) + more));
    let main = setting.read("handlers/clerk-file/main.go");
    let main = main.replace("\"fmt\"", "\"fmt\"\n\n\t\"example.com/words\"");
    setting.write("handlers/clerk-file/main.go", &main.replace("\"event:\", record", "words.Word"));
    fs::create_dir(setting.root.join("words")).unwrap();
    setting.write("words/go.mod", "module example.com/words\n\ngo 1.24\n");
    setting.follows("words/words.go", "package words\n\nconst Word = \"one\"\n");
}

#[test]
fn a_handler_in_c_takes_headers_that_lie_beside_it() {
    let setting = Setting::new("c");
    let source = "handlers/clerk-file/src/handler.c";
    let text =
        setting.read(source).replace("#include <stdio.h>", "#include <stdio.h>\n#include \"../../../words/w.h\"");
    setting.write(source, &text.replace("printf(\"event: %s\\n\", gristmill_display(record).ptr)", "puts(WORD)"));
    fs::create_dir(setting.root.join("words")).unwrap();
    setting.follows("words/w.h", "#define WORD \"one\"\n");
}
