//! Incidents in the database.

use super::{event::Recorded, state::Incident};
use crate::{
    id::{CustomerKey, IncidentId},
    store::Tx,
};

/// The incident, by its long id.
pub async fn load(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Option<Incident>> {
    let _ = (tx, id);
    todo!()
}

/// The incident of a short reference: the open one, else the newest that had it.
pub async fn by_reference(tx: &mut Tx, reference: &str) -> sqlx::Result<Option<Incident>> {
    let _ = (tx, reference);
    todo!()
}

/// The open incidents of a customer, newest first.
pub async fn open_of(tx: &mut Tx, customer: &CustomerKey) -> sqlx::Result<Vec<Incident>> {
    let _ = (tx, customer);
    todo!()
}

/// Its events, from after `after`, in order.
pub async fn events(tx: &mut Tx, id: &IncidentId, after: u64) -> sqlx::Result<Vec<Recorded>> {
    let _ = (tx, id, after);
    todo!()
}

/// Which incidents to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub open_only: bool,
    pub priority: Option<crate::sla::Priority>,
    pub customer: Option<CustomerKey>,
    pub team: Option<crate::id::TeamKey>,
    /// Older than this id.
    pub before: Option<IncidentId>,
    pub limit: i64,
}

/// Incidents, newest first.
pub async fn list(tx: &mut Tx, filter: &Filter) -> sqlx::Result<Vec<Incident>> {
    let _ = (tx, filter);
    todo!()
}
