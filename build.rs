//! Puts the operators' page into the binary: what `npm run build` left in web/dist, or, without Node, a page that says
//! how to make it. Knows nothing of what the files hold.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let (root, out) = (told("CARGO_MANIFEST_DIR"), told("OUT_DIR"));
    // The directory is always there (it holds a .gitignore), so that nothing is built anew without a reason.
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=src/page/placeholder.html");
    println!("cargo::rerun-if-changed=build.rs");
    let built = root.join("web/dist");
    let mut files = Vec::new();
    if built.join("index.html").is_file() {
        collect(&built, &built, &mut files)?;
        files.sort();
    }
    let mut code = String::from("pub(super) static FILES: &[File] = &[\n");
    for (name, path) in &files {
        let variant = |ending: &str| {
            let beside = PathBuf::from(format!("{}.{ending}", path.display()));
            if beside.is_file() { format!("Some(include_bytes!({beside:?}))") } else { "None".to_owned() }
        };
        let (brotli, gzip) = (variant("br"), variant("gz"));
        code += &format!(
            "    File {{ path: {name:?}, plain: include_bytes!({path:?}), brotli: {brotli}, gzip: {gzip} }},\n"
        );
    }
    if files.is_empty() {
        let placeholder = root.join("src/page/placeholder.html");
        code += &format!(
            "    File {{ path: \"index.html\", plain: include_bytes!({placeholder:?}), brotli: None, gzip: None }},\n"
        );
    }
    code += "];\n";
    fs::write(out.join("page.rs"), code)
}

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script through the environment, and only so")]
fn told(name: &str) -> PathBuf {
    PathBuf::from(env::var_os(name).expect("cargo sets it"))
}

/// Every file below `at` with its path from `base`, but for compressed variants and what is hidden.
fn collect(base: &Path, at: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(at)? {
        let path = entry?.path();
        let name = path.strip_prefix(base).expect("it lies below").to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            collect(base, &path, files)?;
        } else if !name.ends_with(".br") && !name.ends_with(".gz") && !name.starts_with('.') {
            files.push((name, path));
        }
    }
    Ok(())
}
