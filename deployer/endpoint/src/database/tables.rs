//! The operations on tables, with what they mean for streams: a table's stream
//! specification is ours, and every description that leaves says what our store
//! has. To Dynoxide a stream that is on always has both images, so that the
//! store can tell what changed.

use dynoxide::actions::create_table::{CreateTableRequest, CreateTableResponse, StreamSpecification};
use dynoxide::actions::delete_table::{DeleteTableRequest, DeleteTableResponse};
use dynoxide::actions::describe_table::{DescribeTableRequest, DescribeTableResponse};
use dynoxide::actions::update_table::{UpdateTableRequest, UpdateTableResponse};
use dynoxide::actions::{
    StreamSpecificationDescription, TableDescription, create_table, delete_table, describe_table, update_table,
};
use dynoxide::storage::Storage;
use dynoxide::types::{KeySchemaElement, KeyType};
use dynoxide::{DynoxideError, Result};
use pollster::block_on;

use super::Database;
use crate::streams::ViewType;
use crate::streams::lifecycle::{self, KeySchema, TableStream};

/// What a request wants of the table's stream.
#[derive(Clone, Copy)]
enum Wanted {
    On(ViewType),
    Off,
}

impl Wanted {
    fn parse(specification: Option<&StreamSpecification>) -> Result<Option<Self>> {
        let Some(StreamSpecification { stream_enabled, stream_view_type }) = specification else { return Ok(None) };
        let invalid = |message: String| Err(DynoxideError::ValidationException(message));
        match (stream_enabled, stream_view_type.as_deref()) {
            (false, _) => Ok(Some(Self::Off)),
            (true, None) => invalid(
                "One or more parameter values were invalid: StreamViewType must be given when StreamEnabled is true"
                    .to_owned(),
            ),
            (true, Some(view_type)) => match ViewType::parse(view_type) {
                Some(view_type) => Ok(Some(Self::On(view_type))),
                None => invalid(format!(
                    "1 validation error detected: Value '{view_type}' at 'streamSpecification.streamViewType' failed to \
                     satisfy constraint: Member must satisfy enum value set: \
                     [NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]"
                )),
            },
        }
    }
}

impl Database {
    pub(super) fn create_table(&self, mut request: CreateTableRequest) -> Result<CreateTableResponse> {
        let wanted = Wanted::parse(request.stream_specification.take().as_ref())?;
        let table = request.table_name.clone();
        // Dynoxide creates a table in many steps: ours makes them one.
        let created: Result<_> = self.transaction(|storage| {
            let response = block_on(create_table::execute(storage, request))?;
            if let Some(Wanted::On(view_type)) = wanted {
                self.open_stream(storage, &table, view_type)?;
            }
            Ok(response)
        });
        if created.is_err() && !self.storage.table_exists(&table)? {
            // What was rolled back may stand in Dynoxide's cache of descriptions,
            // and its own deletion is what clears it.
            self.storage.delete_table_metadata(&table)?;
        }
        let mut response = created?;
        self.correct(&mut response.table_description)?;
        Ok(response)
    }

    pub(super) fn describe_table(&self, request: DescribeTableRequest) -> Result<DescribeTableResponse> {
        let mut response = block_on(describe_table::execute(&self.storage, request, &self.lifecycle))?;
        self.correct(&mut response.table)?;
        Ok(response)
    }

    pub(super) fn update_table(&self, mut request: UpdateTableRequest) -> Result<UpdateTableResponse> {
        let specification = request.stream_specification.take();
        let wanted = Wanted::parse(specification.as_ref())?;
        let table = request.table_name.clone();
        if let Some(wanted) = wanted {
            self.check_stream(&table, wanted)?;
        }
        let only_the_stream = wanted.is_some()
            && request.global_secondary_index_updates.is_none()
            && request.vector_index_updates.is_none()
            && request.deletion_protection_enabled.is_none()
            && request.provisioned_throughput.is_none()
            && request.billing_mode.is_none()
            && request.table_class.is_none()
            && request.on_demand_throughput.is_none();
        // Dynoxide's update is a transaction of its own, and the stream's another.
        // A kill between them leaves a part of what was not acknowledged, as
        // DynamoDB does while a table is UPDATING.
        let updated = if only_the_stream {
            None
        } else {
            Some(block_on(update_table::execute(&self.storage, request, &self.lifecycle))?)
        };
        if let Some(wanted) = wanted {
            self.transaction(|storage| self.switch_stream(storage, &table, wanted))?;
        }
        let mut response = match updated {
            Some(response) => response,
            None => {
                let request = DescribeTableRequest { table_name: table };
                let described = block_on(describe_table::execute(&self.storage, request, &self.lifecycle))?;
                let mut table_description = described.table;
                // What the answer of an UpdateTable says; the next description
                // says ACTIVE.
                table_description.table_status = "UPDATING".to_owned();
                UpdateTableResponse { table_description }
            }
        };
        self.correct(&mut response.table_description)?;
        Ok(response)
    }

    pub(super) fn delete_table(&self, request: DeleteTableRequest) -> Result<DeleteTableResponse> {
        let clock = &self.settings.clock;
        self.transaction(|storage| {
            let mut response = block_on(delete_table::execute(storage, request, &self.lifecycle))?;
            self.correct(&mut response.table_description)?;
            let table = &response.table_description.table_name;
            lifecycle::close(storage.conn(), clock, table)?;
            lifecycle::forget_table(storage.conn(), table)?;
            Ok(response)
        })
    }

    /// Whether the stream can become what is wanted. A view type cannot be
    /// changed in place (AWS-FACTS, The event source mapping): it is the same
    /// refusal.
    fn check_stream(&self, table: &str, wanted: Wanted) -> Result<()> {
        if !self.storage.table_exists(table)? {
            let message = format!("Requested resource not found: Table: {table} not found");
            return Err(DynoxideError::ResourceNotFoundException(message));
        }
        let is_on = lifecycle::of_table(self.storage.conn(), table)?.view_type.is_some();
        match (wanted, is_on) {
            (Wanted::On(_), true) => Err(DynoxideError::ValidationException(format!(
                "Table already has an enabled stream: TableName: {table}"
            ))),
            (Wanted::Off, false) => {
                Err(DynoxideError::ValidationException(format!("Table has no stream to disable: TableName: {table}")))
            }
            (Wanted::On(_), false) | (Wanted::Off, true) => Ok(()),
        }
    }

    fn switch_stream(&self, storage: &Storage, table: &str, wanted: Wanted) -> Result<()> {
        match wanted {
            Wanted::On(view_type) => self.open_stream(storage, table, view_type),
            Wanted::Off => {
                storage.disable_stream(table)?;
                Ok(lifecycle::close(storage.conn(), &self.settings.clock, table)?)
            }
        }
    }

    fn open_stream(&self, storage: &Storage, table: &str, view_type: ViewType) -> Result<()> {
        let unreadable = |why: String| DynoxideError::InternalServerError(format!("the keys of table {table}: {why}"));
        let metadata = storage.get_table_metadata(table)?.ok_or_else(|| unreadable("no such table".to_owned()))?;
        let keys: Vec<KeySchemaElement> =
            serde_json::from_str(&metadata.key_schema).map_err(|error| unreadable(error.to_string()))?;
        let partition_key = keys.iter().find(|key| key.key_type == KeyType::HASH);
        let partition_key = &partition_key.ok_or_else(|| unreadable("none is HASH".to_owned()))?.attribute_name;
        let keys = KeySchema { json: &metadata.key_schema, partition_key };
        let (clock, shards) = (&self.settings.clock, self.settings.shards);
        let label = lifecycle::open(storage.conn(), clock, table, view_type, &keys, shards)?;
        storage.enable_stream(table, ViewType::NewAndOldImages.as_str(), &label)
    }

    /// Makes a description say what our store has, under our ARNs.
    fn correct(&self, description: &mut TableDescription) -> Result<()> {
        let names = &self.settings.names;
        let table = description.table_name.clone();
        let TableStream { view_type, latest_label } = lifecycle::of_table(self.storage.conn(), &table)?;
        description.stream_specification = view_type.map(|view_type| StreamSpecificationDescription {
            stream_enabled: true,
            stream_view_type: Some(view_type),
        });
        description.latest_stream_arn = latest_label.as_ref().map(|label| names.stream_arn(&table, label));
        description.latest_stream_label = latest_label;
        description.table_arn = names.table_arn(&table);
        for index in description.global_secondary_indexes.iter_mut().flatten() {
            index.index_arn = names.index_arn(&table, &index.index_name);
        }
        for index in description.local_secondary_indexes.iter_mut().flatten() {
            index.index_arn = names.index_arn(&table, &index.index_name);
        }
        for index in description.vector_indexes.iter_mut().flatten() {
            index.index_arn = names.index_arn(&table, &index.index_name);
        }
        if let Some(arn) = description.sse_description.as_mut().and_then(|sse| sse.kms_master_key_arn.as_mut()) {
            *arn = names.adopt(arn);
        }
        Ok(())
    }
}
