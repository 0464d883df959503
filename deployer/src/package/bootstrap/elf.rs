//! Whether a file is a program that Lambda's `provided.al2023` can start: what
//! kind of machine it is for, and what it needs of the system. Reads bytes and
//! runs nothing.

use object::Endianness;
use object::elf;
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};

use crate::architecture::Architecture;

/// The glibc of Amazon Linux 2023, which stays for all of its life.
pub(super) const GLIBC: (u64, u64) = (2, 34);

/// What a program may be linked with: glibc's own libraries, and the one of gcc
/// that Rust links with unless told otherwise. Amazon Linux 2023 has all of
/// them.
const LIBRARIES: [&str; 10] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// Checks a program.
///
/// # Errors
///
/// What is wrong with it, as the end of a sentence that begins with its name.
pub(super) fn check(bytes: &[u8], architecture: Architecture) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        let what = if bytes.starts_with(b"#!") { "a script" } else { "something else" };
        return Err(format!("is no program for Linux (ELF) but {what}"));
    }
    if bytes.get(4) != Some(&elf::ELFCLASS64) || bytes.get(5) != Some(&elf::ELFDATA2LSB) {
        return Err(format!("is a program for another kind of machine, not for {architecture}"));
    }
    let broken = |error: object::Error| format!("is a program that is cut short or broken ({error})");
    let file = ElfFile64::<Endianness>::parse(bytes).map_err(broken)?;
    let (header, endian) = (file.elf_header(), file.endian());

    let (machine, interpreter) = match architecture {
        Architecture::X86_64 => (elf::EM_X86_64, "/lib64/ld-linux-x86-64.so.2"),
        Architecture::Arm64 => (elf::EM_AARCH64, "/lib/ld-linux-aarch64.so.1"),
    };
    let found = header.e_machine(endian);
    if found != machine {
        let other = match found {
            elf::EM_X86_64 => "x86_64",
            elf::EM_AARCH64 => "arm64",
            _ => "another kind of machine",
        };
        return Err(format!("is a program for {other}, not for {architecture}"));
    }

    let mut loader = None;
    for segment in file.elf_program_headers() {
        if let Some(path) = segment.interpreter(endian, bytes).map_err(broken)? {
            loader = Some(String::from_utf8_lossy(path).into_owned());
        }
    }
    let needs = Needs::read(&file).map_err(broken)?;
    let is_program = match header.e_type(endian) {
        elf::ET_EXEC => true,
        elf::ET_DYN => !needs.has_name && (loader.is_some() || needs.is_position_independent),
        _ => false,
    };
    if !is_program || header.e_entry(endian) == 0 {
        return Err("is a library or a part of a program, and not one that can be started".to_owned());
    }
    let Some(loader) = loader else {
        // Without a loader nothing is loaded.
        return match needs.libraries.first() {
            None => Ok(()),
            Some(library) => Err(format!("needs {library}, and names no loader that would find it")),
        };
    };
    if loader != interpreter {
        return Err(format!("is started by {}, which Lambda does not have; it has {interpreter}", shown(&loader)));
    }
    needs.check()
}

/// What a program asks of the dynamic loader.
#[derive(Default)]
struct Needs {
    libraries: Vec<String>,
    /// With the library of which each is.
    versions: Vec<(String, String)>,
    /// A library has a name of its own.
    has_name: bool,
    is_position_independent: bool,
    /// There is a table of versions, and no section that would show it.
    are_hidden: bool,
}

impl Needs {
    fn read(file: &ElfFile64<'_, Endianness>) -> object::Result<Self> {
        let (endian, bytes, sections) = (file.endian(), file.data(), file.elf_section_table());
        let mut needs = Self::default();
        let mut has_dynamic = false;
        for segment in file.elf_program_headers() {
            has_dynamic |= segment.dynamic(endian, bytes)?.is_some_and(|dynamic| !dynamic.is_empty());
        }
        let dynamic = file.elf_dynamic_table()?;
        if dynamic.is_empty() {
            needs.are_hidden = has_dynamic;
            return Ok(needs);
        }
        let mut has_versions = false;
        for entry in &dynamic {
            match entry.tag {
                elf::DT_NEEDED => {
                    needs.libraries.push(String::from_utf8_lossy(dynamic.string(entry)?).into_owned());
                }
                elf::DT_SONAME => needs.has_name = true,
                elf::DT_FLAGS_1 => needs.is_position_independent = entry.val & u64::from(elf::DF_1_PIE) != 0,
                elf::DT_VERNEED => has_versions = true,
                _ => {}
            }
        }
        let Some((mut of_libraries, link)) = sections.gnu_verneed(endian, bytes)? else {
            needs.are_hidden = has_versions;
            return Ok(needs);
        };
        let strings = sections.strings(endian, bytes, link)?;
        while let Some((of_library, mut versions)) = of_libraries.next()? {
            let library = String::from_utf8_lossy(of_library.file(endian, strings)?).into_owned();
            while let Some(version) = versions.next()? {
                let version = String::from_utf8_lossy(version.name(endian, strings)?).into_owned();
                needs.versions.push((library.clone(), version));
            }
        }
        Ok(needs)
    }

    fn check(&self) -> Result<(), String> {
        if self.are_hidden {
            return Err("does not say what it needs: its table of sections was removed".to_owned());
        }
        if let Some(library) = self.libraries.iter().find(|library| !LIBRARIES.contains(&library.as_str())) {
            let library = shown(library);
            return Err(format!("needs {library}, which Lambda does not have; link it statically"));
        }
        // The newest says most. What is no number is newer than any.
        let newest = self.versions.iter().filter(|(_, version)| version.starts_with("GLIBC_"));
        let newest =
            newest.map(|(library, version)| (number(version).unwrap_or((u64::MAX, 0)), library, version)).max();
        match newest {
            Some((number, library, version)) if number > GLIBC => Err(format!(
                "needs {} of {}, and Amazon Linux 2023 has glibc {}.{}; build it on a system with an older glibc, or \
                 for a target like aarch64-unknown-linux-musl",
                shown(version),
                shown(library),
                GLIBC.0,
                GLIBC.1
            )),
            _ => Ok(()),
        }
    }
}

/// The number of `GLIBC_2.2.5` as far as it matters here.
fn number(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    match (parts.next()?, parts.next()?) {
        (Ok(major), Ok(minor)) => Some((major, minor)),
        _ => None,
    }
}

/// A name out of the file, for a message.
fn shown(name: &str) -> String {
    crate::edge::quoted(name)
}
