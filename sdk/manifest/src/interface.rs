use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentItem};
use wasmparser::types::TypesRef;
use wasmparser::{Parser, Payload, Validator};

use crate::error::PackingError;
use crate::section::{custom_sections, malformed};

/// A function that a component asks of its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Import {
    /// The interface with its version: `qiao:host/catalog@0.1.0`; empty for a function
    /// that is imported by itself.
    pub interface: String,
    /// The function: `register-product`.
    pub function: String,
}

/// A function that a component offers to its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Export {
    /// The interface with its version: `qiao:guest/pages@0.1.0`; empty for a function
    /// that is exported by itself.
    pub interface: String,
    /// The function: `open`.
    pub function: String,
}

/// The functions that a component imports, in order. Interfaces of plain types are not
/// listed: they let nothing happen.
///
/// # Errors
/// When the component is not valid, or imports anything but functions and plain types
/// (a resource, a module, a component, a value).
pub fn imports(component: &[u8]) -> Result<Vec<Import>, PackingError> {
    let functions = functions(component, Side::Imports)?;
    let import = |(interface, function)| Import {
        interface,
        function,
    };
    Ok(functions.into_iter().map(import).collect())
}

/// The functions that a component exports, in order.
///
/// # Errors
/// As [`imports`].
pub fn exports(component: &[u8]) -> Result<Vec<Export>, PackingError> {
    let functions = functions(component, Side::Exports)?;
    let export = |(interface, function)| Export {
        interface,
        function,
    };
    Ok(functions.into_iter().map(export).collect())
}

#[derive(Clone, Copy)]
enum Side {
    Imports,
    Exports,
}

/// Interface and function of each function on one side of a component.
fn functions(component: &[u8], side: Side) -> Result<Vec<(String, String)>, PackingError> {
    custom_sections(component)?;
    let types = Validator::new()
        .validate_all(component)
        .map_err(malformed)?;
    let types = types.as_ref();
    let mut functions = Vec::new();
    for name in names(component, side)? {
        let item = match side {
            Side::Imports => types.component_item_for_import(&name),
            Side::Exports => types.component_item_for_export(&name),
        };
        // The validator has listed what the parser has; without an entry it is refused.
        let Some(item) = item else {
            return Err(PackingError::UnsupportedExtern {
                name,
                kind: "nameless item",
            });
        };
        collect(types, name, item, &mut functions)?;
    }
    Ok(functions)
}

/// The names of one side of the outermost component; nested ones are its own affair.
fn names(component: &[u8], side: Side) -> Result<Vec<String>, PackingError> {
    let mut depth = 0_usize;
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match (payload.map_err(malformed)?, side) {
            (Payload::Version { .. }, _) => depth += 1,
            (Payload::End(_), _) => depth -= 1,
            (Payload::ComponentImportSection(section), Side::Imports) if depth == 1 => {
                for import in section {
                    names.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            (Payload::ComponentExportSection(section), Side::Exports) if depth == 1 => {
                for export in section {
                    names.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn collect(
    types: TypesRef<'_>,
    name: String,
    item: &ComponentItem,
    functions: &mut Vec<(String, String)>,
) -> Result<(), PackingError> {
    let ComponentEntityType::Instance(instance) = item.ty else {
        return match kind(&item.ty) {
            Kind::Function => {
                functions.push((String::new(), name));
                Ok(())
            }
            Kind::PlainType => Ok(()),
            Kind::Unsupported(kind) => Err(PackingError::UnsupportedExtern { name, kind }),
        };
    };
    for (inner, item) in &types[instance].exports {
        match kind(&item.ty) {
            Kind::Function => functions.push((name.clone(), inner.clone())),
            Kind::PlainType => {}
            Kind::Unsupported(kind) => {
                let name = format!("{name} {inner}");
                return Err(PackingError::UnsupportedExtern { name, kind });
            }
        }
    }
    Ok(())
}

enum Kind {
    Function,
    PlainType,
    Unsupported(&'static str),
}

fn kind(ty: &ComponentEntityType) -> Kind {
    match ty {
        ComponentEntityType::Func(_) => Kind::Function,
        ComponentEntityType::Type {
            created: ComponentAnyTypeId::Resource(_),
            ..
        } => Kind::Unsupported("resource"),
        ComponentEntityType::Type { .. } => Kind::PlainType,
        ComponentEntityType::Module(_) => Kind::Unsupported("core module"),
        ComponentEntityType::Value(_) => Kind::Unsupported("value"),
        ComponentEntityType::Instance(_) => Kind::Unsupported("nested instance"),
        ComponentEntityType::Component(_) => Kind::Unsupported("component"),
    }
}
