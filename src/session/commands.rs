//! Every command after connect: limits first, then who answers it.

use schema::{
    codes::{Close, ErrorBody, StreamError},
    frame::{ChannelRequest, Command, Empty, Reply},
};

use super::{channel::Channel, connection::Session, history, rpc, transport::Stop};

impl Session {
    /// Does one command.
    pub(super) async fn command(&mut self, command: Command) -> Result<(), Stop> {
        let id = command.id;
        if self.refused {
            return Err(Close::BadRequest.into());
        }
        if let Some(request) = command.connect {
            return if id == 0 { Err(Close::BadRequest.into()) } else { self.connect(id, request).await };
        }
        if self.desk.is_none() {
            return Err(Close::BadRequest.into());
        }
        if self.rate.check().is_err() {
            return self.too_many(id).await;
        }
        self.strikes.excess = 0;
        if id == 0 {
            // `send` expects nothing, and there is nothing to do.
            return Ok(());
        }
        self.dispatch(id, command).await
    }

    async fn dispatch(&mut self, id: u32, command: Command) -> Result<(), Stop> {
        if let Some(request) = command.rpc {
            self.rpc(id, request).await
        } else if let Some(request) = command.subscribe {
            self.subscribe(id, request).await
        } else if let Some(request) = command.unsubscribe {
            self.unsubscribe(id, &request).await
        } else if let Some(request) = command.history {
            self.history(id, request).await
        } else if let Some(request) = command.presence {
            self.presence(id, &request).await
        } else if let Some(request) = command.presence_stats {
            self.presence_stats(id, &request).await
        } else if let Some(request) = command.refresh {
            self.refresh(id, request).await
        } else if let Some(request) = command.publish {
            let error = known(&request, StreamError::PermissionDenied);
            self.reply(Reply::error(id, error)).await
        } else if let Some(request) = command.sub_refresh {
            let error = known(&request, StreamError::MethodNotFound);
            self.reply(Reply::error(id, error)).await
        } else if command.ping.is_some() {
            self.reply(Reply { id, ping: Some(Empty {}), ..Reply::default() }).await
        } else {
            self.reply(Reply::error(id, StreamError::MethodNotFound)).await
        }
    }

    async fn rpc(&mut self, id: u32, request: schema::frame::RpcRequest) -> Result<(), Stop> {
        let Some(desk) = &self.desk else { return Err(Close::BadRequest.into()) };
        if !desk.seat.admits() {
            return self.too_many(id).await;
        }
        let call = rpc::Call::new(&self.state, desk, self.client);
        self.running = Some(Box::pin(async move {
            match call.answer(request).await {
                Ok(data) => Reply { id, rpc: Some(schema::frame::RpcResult { data }), ..Reply::default() },
                Err(error) => Reply::error(id, error),
            }
        }));
        Ok(())
    }

    async fn history(&mut self, id: u32, request: schema::frame::HistoryRequest) -> Result<(), Stop> {
        let Some(desk) = &self.desk else { return Err(Close::BadRequest.into()) };
        let reader = history::Reader::new(&self.state, desk);
        self.running = Some(Box::pin(async move {
            match reader.read(request).await {
                Ok(history) => Reply { id, history: Some(history), ..Reply::default() },
                Err(error) => Reply::error(id, error),
            }
        }));
        Ok(())
    }

    /// A line that is no command: told, and not often.
    pub(super) async fn bad_command(&mut self, id: u32) -> Result<(), Stop> {
        self.strikes.bad += 1;
        if self.strikes.bad >= self.state.0.limits.bad_commands || self.desk.is_none() {
            return Err(Close::BadRequest.into());
        }
        self.reply(Reply::error(id, StreamError::BadRequest)).await
    }

    async fn too_many(&mut self, id: u32) -> Result<(), Stop> {
        self.strikes.excess += 1;
        if self.strikes.excess >= self.state.0.limits.excess {
            return Err(Close::TooManyRequests.into());
        }
        self.reply(Reply::error(id, StreamError::TooManyRequests)).await
    }

    /// Sends a reply; errors are counted, and too many in a row end the connection.
    pub(super) async fn reply(&mut self, reply: Reply) -> Result<(), Stop> {
        match &reply.error {
            None => self.strikes.errors = 0,
            Some(ErrorBody { code, .. }) => {
                metrics::counter!("deskwire_stream_errors_total", "code" => code.to_string()).increment(1);
                self.strikes.errors += 1;
            }
        }
        if self.strikes.errors >= self.state.0.limits.errors {
            return Err(Close::TooManyErrors.into());
        }
        self.transport.send(reply.encode()).await
    }
}

/// An error for a channel that exists; else that it does not.
fn known(request: &ChannelRequest, error: StreamError) -> StreamError {
    if Channel::parse(&request.channel).is_some() { error } else { StreamError::UnknownChannel }
}
