//! The role a route needs, in its signature: [`Allowed<Commander>`] refuses everybody below before the body is read.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{Caller, Role};
use crate::{api::Problem, server::App};

/// A role, as a type.
pub trait Least: Send + Sync + 'static {
    const ROLE: Role;
}

macro_rules! least {
    ($($name:ident),*) => {$(
        #[doc = concat!("At least [`Role::", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Least for $name {
            const ROLE: Role = Role::$name;
        }
    )*};
}
least!(Intake, Viewer, Responder, Commander, Admin);

/// A caller who has this role or one above it: 401 without a good token, 403 with a lesser one.
#[derive(Clone, Debug)]
pub struct Allowed<R> {
    pub caller: Caller,
    role: PhantomData<R>,
}

impl<R: Least> FromRequestParts<App> for Allowed<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.require(R::ROLE)?;
        Ok(Allowed { caller, role: PhantomData })
    }
}
