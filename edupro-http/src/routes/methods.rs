//! What stands in a row of the table: methods, each with what it is called and who handles it.

use axum::{
    Router,
    handler::Handler,
    http::{Method, StatusCode},
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::generate::SchemaSettings;

use super::PREFIX;
use crate::{
    EduPro,
    openapi::{Description, Details, Documented, Operation, Permission},
};

/// The methods of a path.
#[derive(Debug)]
pub(crate) struct Methods {
    router: MethodRouter<EduPro>,
    operations: Vec<Operation>,
}

macro_rules! method {
    ($($(#[$doc:meta])* $name:ident: $($method:ident)|+,)*) => {
        $(
            $(#[$doc])*
            pub(super) fn $name<H, A, D>(number: &'static str, title: &'static str, handler: H) -> Methods
            where
                H: Handler<A, EduPro> + Documented<D>,
                A: 'static,
            {
                Methods::new().$name(number, title, handler)
            }
        )*

        impl Methods {
            $(
                $(#[$doc])*
                pub(super) fn $name<H, A, D>(self, number: &'static str, title: &'static str, handler: H) -> Self
                where
                    H: Handler<A, EduPro> + Documented<D>,
                    A: 'static,
                {
                    self.with(&[$(Method::$method),+], number, title, &handler)
                }
            )*
        }
    };
}
method! {
    /// `GET`: its number in the contract, its title, its handler.
    get: GET,
    /// `POST`.
    post: POST,
    /// `PUT`.
    put: PUT,
    /// `PATCH`.
    patch: PATCH,
    /// `DELETE`.
    delete: DELETE,
    /// `PUT` and `PATCH` do the same: what is not sent stays as it is.
    change: PUT | PATCH,
    /// `POST`, `PUT` and `PATCH` do the same.
    send: POST | PUT | PATCH,
}

impl Methods {
    fn new() -> Self {
        Self { router: MethodRouter::new(), operations: Vec::new() }
    }

    fn with<H, A, D>(
        mut self,
        methods: &[Method],
        number: &'static str,
        title: &'static str,
        handler: &H,
    ) -> Self
    where
        H: Handler<A, EduPro> + Documented<D>,
        A: 'static,
    {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut description = Description::new(&mut generator);
        H::describe(&mut description);
        let permission = description.permission;
        for method in methods {
            self.operations.push(Operation {
                method: method.clone(),
                path: String::new(),
                number,
                title,
                permission,
                owned: None,
                details: Details {
                    section: "",
                    handler: std::any::type_name::<H>(),
                    is_shared: methods.len() > 1,
                    describe: H::describe,
                    query: Vec::new(),
                    failures: Vec::new(),
                },
            });
            if let Ok(filter) = MethodFilter::try_from(method.clone()) {
                self.router = self.router.merge(on(filter, handler.clone()));
            }
        }
        self
    }

    /// What is named by this parameter of the path has to be the visitor's own.
    pub(super) fn owned(mut self, parameter: &'static str) -> Self {
        for operation in &mut self.operations {
            operation.owned = Some(parameter);
        }
        self
    }

    /// What the last handler looks for in the query.
    pub(super) fn query(self, parameters: &[(&'static str, &'static str)]) -> Self {
        self.last(|operation| operation.details.query = parameters.to_vec())
    }

    /// What may go wrong in the last handler that its arguments do not say.
    pub(super) fn fails(self, failures: &[StatusCode]) -> Self {
        self.last(|operation| operation.details.failures = failures.to_vec())
    }

    /// The last handler has words of its own for those who may not call it.
    pub(super) fn only(self, permission: Permission) -> Self {
        self.last(|operation| operation.permission = permission)
    }

    /// A handler with several methods stands behind as many operations.
    fn last(mut self, change: impl Fn(&mut Operation)) -> Self {
        let Some(handler) = self.operations.last().map(|last| last.details.handler) else {
            return self;
        };
        let same = self.operations.iter_mut().filter(|known| known.details.handler == handler);
        same.for_each(change);
        self
    }
}

/// A router that remembers what it does.
#[derive(Debug)]
pub(crate) struct Api {
    pub(super) router: Router<EduPro>,
    operations: Vec<Operation>,
    paths: Vec<&'static str>,
    section: &'static str,
}

impl Api {
    pub(super) fn new() -> Self {
        Self { router: Router::new(), operations: Vec::new(), paths: Vec::new(), section: "" }
    }

    /// What follows stands in this section of the contract.
    pub(super) fn section(self, section: &'static str) -> Self {
        Self { section, ..self }
    }

    /// A path of the contract.
    pub(super) fn at(mut self, path: &'static str, methods: Methods) -> Self {
        self.paths.push(path);
        self.bare(path, methods)
    }

    /// A path of the contract that it prints without the prefix: it is there with it too.
    pub(super) fn at_root_too(mut self, path: &'static str, methods: Methods) -> Self {
        self.router = both_ways(self.router, path, methods.router.clone());
        self.note(path, &methods);
        self.at(path, methods)
    }

    /// A path beside the contract, or one of it whose parameter is missing: it has an answer of its
    /// own (behaviour G1) but is no path of the index.
    pub(super) fn bare(mut self, path: &'static str, methods: Methods) -> Self {
        let path = format!("{PREFIX}{path}");
        self.note(&path, &methods);
        self.router = both_ways(self.router, &path, methods.router);
        self
    }

    fn note(&mut self, path: &str, methods: &Methods) {
        self.operations.extend(methods.operations.iter().map(|operation| {
            let details = Details { section: self.section, ..operation.details.clone() };
            Operation { path: path.to_owned(), details, ..operation.clone() }
        }));
    }

    /// The paths, in the contract's order.
    pub(crate) fn paths(&self) -> &[&'static str] {
        &self.paths
    }

    /// Everything that can be called, in the same order.
    pub(crate) fn operations(self) -> Vec<Operation> {
        self.operations
    }
}

/// A path with its last slash and without.
fn both_ways(router: Router<EduPro>, path: &str, methods: MethodRouter<EduPro>) -> Router<EduPro> {
    let short = path.trim_end_matches('/');
    router.route(short, methods.clone()).route(&format!("{short}/"), methods)
}
