// Made by scripts/types.mjs from openapi.json. Do not edit.

export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process is alive. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics as Prometheus reads them; from this machine only, and not through a proxy. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The node can serve. Fails only for what a restart or another node would cure. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Make a carrier account of the tenant, or replace its secret. The log says only that the secret changed. */
        put: operations["set_account"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every line. */
        get: operations["channels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/channels/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One line. */
        get: operations["channel"];
        /** Make or change a line. Once its settings are known to be good its number is claimed: nobody else can have it then. */
        put: operations["set_channel"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/channels/{id}/coverage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether missed calls of a line are answered by a text. */
        get: operations["coverage"];
        /** Switch the answering of missed calls on or off. */
        put: operations["set_coverage"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/channels/{id}/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How fast a line may send. */
        get: operations["limits"];
        /** Change how fast a line may send. */
        put: operations["set_limits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/channels/{id}/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What waits at a line, and what is left of its days. */
        get: operations["line_queue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is a member, in which state, and what each owns. A node that is alone is its only member. */
        get: operations["cluster"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a one-time link by which somebody sets a password and signs in. Each call makes another link, and the one before is
         *     worth nothing.
         */
        post: operations["invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/operators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Operators that were configured. Others have the role of their token. */
        get: operations["operators"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/operators/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One operator that was configured. */
        get: operations["operator"];
        /**
         * Give an operator a role, whatever the token says; `null` revokes: every token, stream and password of theirs ends, and
         *     the open conversations they were on are nobody's. Only an owner gives or takes the role of owner; the last one stays.
         */
        put: operations["set_operator"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/operators/{id}/availability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Say that somebody else is away, or back: they left without saying so. Also of who comes with tokens that others mint. */
        put: operations["set_availability_of"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/operators/{id}/hours": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set the hours by which somebody else is available. They decide at once, and whenever they change it. */
        put: operations["set_hours_of"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/operators/{id}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a one-time link by which an operator sets a new password. The old one is good until the link is used. */
        post: operations["reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/parked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Conversations that decide nothing until they are released. */
        get: operations["parked"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is held back. Whoever runs the engine sees what is held back at every tenant. */
        get: operations["pause"];
        /**
         * Hold texts back, or let them leave: within a second, kept over restarts. The tenant, its lines and whoever runs the
         *     engine each have their own pause; none lifts another's, and the strictest counts.
         */
        put: operations["set_pause"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Texts that wait to leave, oldest first, with sums by line and template on the first page. */
        get: operations["queue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/queue/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take queued texts back, after a preview. The preview changes nothing and says what would go; confirming takes back
         *     those texts and none that were queued since, some at a time: repeat with what each answer gives to confirm.
         */
        post: operations["cancel_queue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every template. */
        get: operations["templates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/templates/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One template, with its cost when rendered. */
        get: operations["template"];
        /** Make or change a template. */
        put: operations["set_template"];
        post?: never;
        /** Remove a template that no line uses. */
        delete: operations["remove_template"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/tenant": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tenant's own settings. */
        get: operations["tenant"];
        /** Change the tenant's own settings. */
        put: operations["set_tenant"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every tenant of this node's directory. */
        get: operations["tenants"];
        put?: never;
        /** Make a tenant. One that exists already is left as it is. */
        post: operations["add_tenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who did what, when, from where and by which request: the log itself, oldest first. */
        get: operations["audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One conversation as the inbox shows it. */
        get: operations["conversation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/assign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put an operator on it, or nobody. */
        post: operations["assign"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/block": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hear no more of the contact: what it sends is kept, and bothers nobody; nothing more leaves for it. */
        post: operations["block"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/called": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that somebody called back and spoke with the contact: nobody waits any more. */
        post: operations["called"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/consent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Record new consent of a contact who had opted out: how and when it was given, and in which words. The carrier's own
         *     list only the contact can lift.
         */
        post: operations["record_consent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/contact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The contact of a conversation. */
        get: operations["contact"];
        put?: never;
        /** Change the contact's name or notes. */
        post: operations["update_contact"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A stretch of a conversation, oldest first, as the stream sends it. */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write to the contact of a conversation. */
        post: operations["send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a note beside the messages; contacts never see it. */
        post: operations["add_note"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/opt-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lift an opt-out that an operator recorded, or the doubt whether the contact asked for one. The contact's own only the
         *     contact lifts, or an admin who records new consent.
         */
        post: operations["opt_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/opt-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Record that the contact must not be texted any more, and why; the contact's own opt-out if that is what it seemed to ask
         *     for.
         */
        post: operations["opt_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark everything up to an offset as seen. */
        post: operations["mark_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a parked conversation decide again, and replay what arrived meanwhile. */
        post: operations["release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/reopen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a new episode. */
        post: operations["reopen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the episode. */
        post: operations["resolve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/snooze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hide it until a time. */
        post: operations["snooze"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/tags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add and remove labels. */
        post: operations["tag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversations/{id}/unblock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Undo a block: the conversation is open again if it was. */
        post: operations["unblock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/figures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of missed calls, questions and texts, counted from the whole log; and each number's queue and pace. */
        get: operations["figures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Conversations, newest activity first, with the position to resume the stream from. */
        get: operations["inbox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asks, who is away, and one's own filters. */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/availability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Say that one is away, or back. What a contact writes to somebody who is away goes back to nobody after a while. */
        put: operations["set_availability"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/filters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Replace one's own filters of the inbox. They are kept for the operator, not for the browser. */
        put: operations["save_filters"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/hours": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the hours by which one is available. They decide at once, and whenever they change it: what is said by hand lasts until
         *     then.
         */
        put: operations["set_hours"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write to a number; joins its conversation if there is one. */
        post: operations["send_to"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One message, with its status and, while it is queued, its place and an estimate. */
        get: operations["message"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a text back while it is queued. */
        post: operations["cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a failed text again, or one of unknown fate: because a person says so. */
        post: operations["retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Texts, notes and names that hold the words, newest first; and the contact whose number was typed. What was just
         *     written is found a moment later: `offset` says how far the index is.
         */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/texts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Texts that operators put into what they write: every template, with what stands for `{business}`. */
        get: operations["texts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account at a carrier: rates, secrets and channels hang on it. Unique over all tenants. */
        AccountId: string;
        /** @description An account at a carrier. Its secret is in the sealed table under the same id. */
        AccountRegistered: {
            /** @description Ours. */
            account: components["schemas"]["AccountId"];
            /** @description The carrier's own id (AccountSid). */
            carrier_id: string;
            /** @description Whose. */
            tenant: components["schemas"]["TenantId"];
        };
        /** @description A carrier account and its secret. The secret is sealed; no answer and no event ever holds it. */
        AccountSecret: {
            /** @description The auth token. The one before it stays valid beside it, for webhooks under way. */
            auth_token: string;
            /** @description The carrier's own id (AccountSid). */
            carrier_id: string;
        };
        /** @description Passing news on the presence channel. */
        Activity: {
            /** @description Which connection. */
            client: string;
            /** @description Which conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description Opened, or closed. */
            on: boolean;
            /** @description Who. */
            operator: components["schemas"]["OperatorId"];
            /** @enum {string} */
            type: "looking";
        } | {
            /** @description Which connection. */
            client: string;
            /** @description In which conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description Who. */
            operator: components["schemas"]["OperatorId"];
            /** @enum {string} */
            type: "typing";
            until?: components["schemas"]["Stamp"] | null;
        };
        /** @description Who is on it. */
        AssignTo: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            operator?: components["schemas"]["OperatorId"] | null;
        };
        /** @description One event of the audit trail: nothing personal. */
        AuditEntry: {
            /** @description When, in microseconds since the epoch. */
            at: components["schemas"]["Stamp"];
            /** @description Who. */
            by: components["schemas"]["Author"];
            conversation?: components["schemas"]["ConversationId"] | null;
            /** @description Position in the feed. */
            offset: components["schemas"]["Offset"];
            /** @description By which request. */
            request: components["schemas"]["RequestId"];
            /** @description What, for example `conversation.assigned`. */
            type: string;
            /** @description Through which door. */
            via: components["schemas"]["Via"];
        };
        /** @description Who did what, in the log's order. */
        AuditPage: components["schemas"]["Position"] & {
            /** @description One entry per event. */
            entries: components["schemas"]["AuditEntry"][];
            next?: components["schemas"]["Offset"] | null;
            /** @description First offset that the log still has. What lies before was trimmed. */
            oldest: components["schemas"]["Offset"];
        };
        /** @description Who caused an event. */
        Author: "contact" | "carrier" | {
            /** @description A person of the tenant. */
            operator: components["schemas"]["OperatorId"];
        } | "rule" | "engine";
        /**
         * @description Whether contacts may count on an operator.
         * @enum {string}
         */
        Availability: "available" | "away";
        /** @description Whether contacts may count on an operator. */
        AvailabilityChanged: {
            /** @description From here on. */
            away: boolean;
            /** @description Whether somebody said so, against their hours or without any. */
            by_hand: boolean;
            /** @description Who. */
            operator: components["schemas"]["OperatorId"];
            until?: components["schemas"]["Stamp"] | null;
        };
        /**
         * @description Why a contact is blocked.
         * @enum {string}
         */
        BlockReason: "unwanted" | "spam";
        /** @description The call was answered. */
        CallAnswered: {
            /** @description The carrier's own id (CallSid). */
            carrier_id: string;
            /** @description The line that was called. */
            channel: components["schemas"]["ChannelId"];
            /**
             * Format: int32
             * @description Seconds of talk, if known.
             */
            duration_s?: number | null;
        };
        /** @description Decided at `due` at the latest: as the carrier's verdict says, or without it. */
        CallEnded: {
            /** @description The carrier's own id (CallSid). */
            carrier_id: string;
            /** @description The line that was called. */
            channel: components["schemas"]["ChannelId"];
            /** @description Until when a verdict is waited for. */
            due: components["schemas"]["Stamp"];
            /**
             * Format: int32
             * @description How long it lasted, if known.
             */
            duration_s?: number | null;
            no_text?: components["schemas"]["SkipReason"] | null;
        };
        /** @description Once per call, whatever the carrier repeats. */
        CallMissed: {
            /** @description The carrier's own id (CallSid). */
            carrier_id: string;
            /** @description The line that was called. */
            channel: components["schemas"]["ChannelId"];
        };
        /** @description Whoever called waits no longer. */
        CallReturned: Record<string, never>;
        /** @description Part: the recording, as media. */
        CallVoicemail: {
            /** @description The carrier's own id of the call (CallSid). */
            call: string;
            /** @description The carrier's own id of the recording (RecordingSid). */
            carrier_id: string;
            /** @description The line that was called. */
            channel: components["schemas"]["ChannelId"];
            /**
             * Format: int32
             * @description How long it is.
             */
            duration_s: number;
        };
        /**
         * @description Which queued texts to take back. First without `confirm`: a preview, which changes nothing. Then with what the
         *     preview gave to confirm, until nothing is left to confirm.
         */
        CancelQueue: {
            channel?: components["schemas"]["ChannelId"] | null;
            /** @description What the preview, or the step before, gave. It says which texts: name no others beside it. */
            confirm?: string | null;
            /**
             * Format: int32
             * @description Queued at least so many seconds ago.
             */
            older_than_s?: number | null;
            /**
             * @description Whether only to say what would go.
             * @default true
             */
            preview: boolean;
            template?: components["schemas"]["TemplateId"] | null;
        };
        /** @description A text that operators put into what they write. */
        CannedText: {
            /** @description Its name. */
            template: components["schemas"]["TemplateId"];
            /** @description With variables in braces: `{business}`, `{name}` (the contact's), `{operator}`. */
            text: string;
        };
        /** @description Which keywords the carrier answers itself; the engine answers the others, so that each gets one answer. */
        CarrierAnswers: {
            /** @description HELP and INFO. */
            help: boolean;
            /** @description START and its kin. */
            start: boolean;
            /** @description STOP and its kin: it also keeps a list and refuses texts to whoever is on it. */
            stop: boolean;
        };
        /** @description A carrier's error as it is stored and shown. */
        CarrierError: {
            /** @description What it asks of us. */
            class: components["schemas"]["ErrorClass"];
            /**
             * Format: int32
             * @description The carrier's own number, for example 30006.
             */
            code: number;
        };
        /** @description An address routes to a channel of a tenant. */
        ChannelClaimed: {
            /** @description At which account. */
            account: components["schemas"]["AccountId"];
            /** @description The business's own address, E.164. */
            address: string;
            /** @description Which line. */
            channel: components["schemas"]["ChannelId"];
            /** @description Whose. */
            tenant: components["schemas"]["TenantId"];
        };
        /** @description Settings of a line. */
        ChannelConfigured: {
            /** @description Which line. */
            channel: components["schemas"]["ChannelId"];
            /** @description All of them. */
            settings: components["schemas"]["ChannelSettings"];
        };
        /** @description One line of a business: a number at a carrier, unique over all tenants. */
        ChannelId: string;
        /** @description Settings of one line. */
        ChannelSettings: {
            /** @description The carrier account it belongs to. */
            account: components["schemas"]["AccountId"];
            /** @description The business's own number, E.164. */
            address: string;
            /** @description What the engine says where it answers a keyword itself. */
            answers?: components["schemas"]["KeywordAnswers"];
            carrier_answers?: components["schemas"]["CarrierAnswers"] | null;
            /**
             * Format: int32
             * @description One text-back per caller in this many seconds.
             */
            cool_down_s: number;
            /** @description Whether a missed call is answered by a text. */
            coverage: boolean;
            /** @description What kind of number it is: decides what its carrier does by default. */
            number_type?: components["schemas"]["NumberType"];
            /** @description Numbers of the business's own people, E.164. They get no text-back. */
            staff?: string[];
            text_back?: components["schemas"]["TemplateId"] | null;
            /** @description Text callers from another country than the line's, too. */
            text_back_abroad?: boolean;
            /** @description Text the business's own people all the same. */
            text_back_staff?: boolean;
            /** @description What becomes of a call. */
            voice?: components["schemas"]["VoiceSettings"];
        };
        /** @description A line: its settings and limits. */
        ChannelView: components["schemas"]["ChannelSettings"] & {
            /** @description Which. */
            channel: components["schemas"]["ChannelId"];
            /** @description How fast it may send. */
            limits: components["schemas"]["LimitSettings"];
        };
        /** @description One connection. */
        ClientInfo: {
            /** @description What it is doing. */
            chan_info: components["schemas"]["Doing"];
            /** @description The connection. */
            client: string;
            /** @description The operator. */
            user: components["schemas"]["OperatorId"];
        };
        /** @description One node. What it did not answer in time is absent. */
        ClusterMember: {
            /**
             * Format: int64
             * @description How many events it lacks of the followed tenant that is furthest behind its owner.
             */
            behind?: number | null;
            /**
             * Format: int64
             * @description Tenants of others that it follows, for its own dashboards and requests.
             */
            followed?: number | null;
            /**
             * Format: int64
             * @description Requests it has passed to owners since its start.
             */
            forwarded?: number | null;
            last_takeover?: components["schemas"]["Stamp"] | null;
            /** @description Which. */
            node: components["schemas"]["NodeId"];
            /** @description The kinds of events that it reads. Below `write_version` it follows and forwards, and owns nothing. */
            reads: components["schemas"]["WriteVersion"];
            /** @description Where its relay answers. */
            relay: string;
            /** @description `joining`, `serving`, `draining` or `left`. */
            state: string;
            /**
             * Format: int64
             * @description Tenants it has taken over since its start.
             */
            takeovers?: number | null;
            /**
             * Format: int64
             * @description Tenants that run on it.
             */
            tenants?: number | null;
            /**
             * Format: int32
             * @description Its share of tenants, against others' weights.
             */
            weight: number;
        };
        /** @description The nodes, as the one that was asked sees them. */
        ClusterStatus: {
            /** @description Everybody that is thought to be alive, in order of name. */
            members: components["schemas"]["ClusterMember"][];
            /** @description Who was asked. */
            node: components["schemas"]["NodeId"];
            /** @description Kinds of events that are written: raised when every member reads more. */
            write_version: components["schemas"]["WriteVersion"];
        };
        /**
         * @description Stable codes. Clients may match on them; titles may change.
         * @enum {string}
         */
        Code: "invalid" | "malformed" | "unauthorized" | "token_expired" | "bad_signature" | "forbidden" | "not_found" | "method_not_allowed" | "request_timeout" | "key_reused" | "wrong_state" | "opted_out" | "unreachable" | "no_address" | "blocked" | "taken" | "last_owner" | "bad_credentials" | "link_spent" | "too_large" | "too_many_requests" | "full" | "parked" | "unavailable" | "draining" | "internal";
        /**
         * @description Whether a contact may be texted.
         * @enum {string}
         */
        Consent: "implied" | "opted_in" | "opted_out";
        /** @description Why a contact may be texted who never wrote nor called. */
        ConsentBasis: {
            /** @description How it was given. */
            how: components["schemas"]["ConsentMethod"];
            /** @description What they said, word by word: 1 to [`TEXT_MAX`] characters. Sealed. */
            words: string;
        };
        /** @description Consent of a contact on every line of the tenant. */
        ConsentChanged: {
            channel?: components["schemas"]["ChannelId"] | null;
            /** @description From here on. */
            consent: components["schemas"]["Consent"];
            /** @description Who said so. */
            source: components["schemas"]["ConsentSource"];
        };
        /**
         * @description How a contact gave new consent.
         * @enum {string}
         */
        ConsentMethod: "in_person" | "phone" | "paper" | "web" | "email" | "other";
        /** @description Automatic texts are held until the contact or a person says what is meant. */
        ConsentQuestioned: {
            /** @description The text that seems to ask for it. */
            message: components["schemas"]["MessageId"];
        };
        /** @description Lifts every opt-out of ours; the carrier's own list only the contact can lift. Part: the exact words, as text. */
        ConsentRecorded: {
            /** @description When it was given. */
            given: components["schemas"]["Stamp"];
            /** @description How it was given. */
            how: components["schemas"]["ConsentMethod"];
        };
        /**
         * @description Where a change of consent came from: decides who may lift it.
         * @enum {string}
         */
        ConsentSource: "contact" | "carrier" | "operator" | "admin";
        /** @description Queued texts to it are canceled and its episode ends, by events of their own. */
        ContactBlocked: {
            /** @description Whether the episode was open: unblocking opens one again. */
            open: boolean;
            /** @description Why. */
            why: components["schemas"]["BlockReason"];
        };
        /** @description Part: address, and the name if the carrier gave one. */
        ContactCreated: {
            /** @description Stands for the address on this channel kind. */
            address: string;
            /** @description The new contact. */
            contact: components["schemas"]["ContactId"];
            /** @description The key its personal parts are sealed with. */
            key: components["schemas"]["KeyId"];
            /** @description Whether the address can be answered at all (an anonymous caller's cannot). */
            reachable: boolean;
        };
        /**
         * Format: uuid
         * @description Who asks.
         */
        ContactId: string;
        /** @description This conversation's contact is another's. */
        ContactMerged: {
            /** @description Where everything goes from here on. */
            into: components["schemas"]["ConversationId"];
        };
        /** @description Nothing of what came in meanwhile is lost. */
        ContactUnblocked: Record<string, never>;
        /** @description The carrier says that the address cannot receive texts. */
        ContactUnreachable: {
            /**
             * Format: int32
             * @description The carrier's error, for example 30006.
             */
            code: number;
        };
        /** @description Part: the new name, as text the notes about the contact. */
        ContactUpdated: {
            /** @description Whose. */
            contact: components["schemas"]["ContactId"];
            /** @description Whether the part holds a name (else it holds notes only, and the name stays where it was). */
            named: boolean;
            /** @description Whether the notes about the contact are among it. */
            noted: boolean;
        };
        /** @description One contact. */
        ContactView: components["schemas"]["Position"] & {
            /** @description Its address; `anonymous` if it was hidden. */
            address?: string | null;
            /** @description May it be texted? */
            consent: components["schemas"]["Consent"];
            /** @description It seems to ask for no more texts: automation waits until `opt-out` or `opt-in` says what was meant. */
            consent_questioned?: boolean;
            consent_source?: components["schemas"]["ConsentSource"] | null;
            /** @description Which. */
            contact: components["schemas"]["ContactId"];
            /** @description Its conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description When it was seen first, in microseconds since the epoch. */
            created: components["schemas"]["Stamp"];
            /** @description The contact was erased: name, address and notes are gone for good. */
            erased: boolean;
            /** @description Its name. */
            name?: string | null;
            /** @description Notes about the contact. */
            notes?: string | null;
            /** @description Whether the address can be answered. */
            reachable: boolean;
            /**
             * Format: int32
             * @description The carrier's error that proved the address unable to receive texts.
             */
            unreachable?: number | null;
        };
        /** @description Who is on it. */
        ConversationAssigned: {
            operator?: components["schemas"]["OperatorId"] | null;
        };
        /**
         * Format: uuid
         * @description The lifelong exchange of one tenant with one contact, over all lines.
         */
        ConversationId: string;
        /** @description A stretch of one conversation, oldest first. */
        ConversationPage: components["schemas"]["Position"] & {
            after?: components["schemas"]["Offset"] | null;
            before?: components["schemas"]["Offset"] | null;
            /** @description The events as the stream sends them; what the role may not see is left out. */
            events: components["schemas"]["WireEvent"][];
        };
        /** @description It crashed too often. */
        ConversationParked: {
            /**
             * Format: int32
             * @description How many crashes in a row.
             */
            crashes: number;
        };
        /** @description Seen by a person. */
        ConversationRead: {
            /** @description Who saw it. */
            operator: components["schemas"]["OperatorId"];
            /** @description Everything up to and including this offset. */
            up_to: components["schemas"]["Offset"];
        };
        /** @description It may try again. */
        ConversationReleased: Record<string, never>;
        /** @description A new episode begins. */
        ConversationReopened: {
            /**
             * Format: int32
             * @description Which episode, from 1.
             */
            episode: number;
        };
        /** @description The episode ends. */
        ConversationResolved: {
            /**
             * Format: int32
             * @description Which episode, from 1.
             */
            episode: number;
        };
        /** @description Hidden until then. */
        ConversationSnoozed: {
            /** @description When it wakes. */
            until: components["schemas"]["Stamp"];
        };
        /** @description Absolute: the whole set after the change. */
        ConversationTagged: {
            /** @description All tags from here on. */
            tags: components["schemas"]["Tag"][];
        };
        /** @description One conversation. */
        ConversationView: components["schemas"]["Position"] & components["schemas"]["InboxRow"];
        /** @description Its time came, or the contact wrote. */
        ConversationWoken: Record<string, never>;
        /** @description What is counted in a stretch of time. */
        Counts: {
            /**
             * Format: int32
             * @description Of those, the ones that a person answered: a text of theirs left, or they spoke on the phone. Automatic texts do not
             *     count.
             */
            answered: number;
            /**
             * Format: int32
             * @description First questions: the first text, voicemail or missed call of a conversation that is new, was opened again, or was
             *     silent for seven days; by when they came. None of contacts who are blocked, nor those left unanswered until then.
             */
            asked: number;
            /**
             * Format: int32
             * @description Of those, the ones that somebody took back before they left.
             */
            canceled: number;
            /**
             * Format: int32
             * @description Of those, the ones that reached the phone, as the carrier says.
             */
            delivered: number;
            /**
             * Format: int32
             * @description Of those, the ones that were too late to be of use and were not sent.
             */
            expired: number;
            /**
             * Format: int32
             * @description Of those, the ones that the carrier refused or could not deliver.
             */
            failed: number;
            /**
             * Format: int32
             * @description Segments of the busiest minute of one number.
             */
            minute_most: number;
            /**
             * Format: int32
             * @description Missed calls, by when they came; none of contacts who are blocked, nor of those whose caller was blocked within 24
             *     hours and before anything recovered them.
             */
            missed: number;
            /**
             * Format: int32
             * @description Texts in the longest queue of one number.
             */
            queue_most: number;
            /**
             * Format: int32
             * @description Texts, by when they were queued.
             */
            queued: number;
            /**
             * Format: int32
             * @description Of those, the ones whose caller wrote something that is no keyword, was spoken with on the phone, or was marked as
             *     called back, within 24 hours.
             */
            recovered: number;
            /**
             * Format: int32
             * @description Segments given to the carrier, by when.
             */
            segments: number;
            /**
             * Format: int32
             * @description Longest that a text waited until it was given to the carrier, from when it might leave, in seconds; by when it left.
             */
            wait_most_s: number;
        };
        /** @description Whether a line answers missed calls. */
        Coverage: {
            /** @description Whether a missed call is answered by a text. */
            coverage: boolean;
        };
        /**
         * @description What became of somebody's credentials.
         * @enum {string}
         */
        CredentialChange: "invited" | "reset_ordered" | "password_set" | "signed_in" | "signed_out" | "signed_out_everywhere";
        /** @description What an operator signs in with changed. */
        CredentialChanged: {
            /** @description How. */
            change: components["schemas"]["CredentialChange"];
            /** @description Whose. */
            operator: components["schemas"]["OperatorId"];
        };
        /** @description A daily limit: what was used of it, and when it begins anew. */
        DayView: {
            /** @description The brand it is counted under. */
            brand: string;
            /** @description When the next day begins, in microseconds since the epoch. */
            ends: components["schemas"]["Stamp"];
            /**
             * Format: int32
             * @description Of those, kept for people, text-backs and confirmations.
             */
            kept: number;
            /**
             * Format: int32
             * @description Segments allowed in a day.
             */
            limit: number;
            /** @description The network whose limit it is; none: of the brand as a whole. */
            network?: string | null;
            /**
             * Format: int64
             * @description Segments sent today.
             */
            used: number;
        };
        /**
         * @description Which way a message goes.
         * @enum {string}
         */
        Direction: "inbound" | "outbound";
        /** @description What an operator's connection is doing. */
        Doing: {
            /** @description Conversations open on the screen. */
            looking?: components["schemas"]["ConversationId"][];
            typing?: components["schemas"]["ConversationId"] | null;
        };
        /** @description Change a contact. At least one field. */
        EditContact: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description The new name; none: unchanged. */
            name?: string | null;
            /** @description Notes about the contact; none: unchanged. */
            notes?: string | null;
        };
        /** @description Add and remove labels. */
        EditTags: {
            /** @description To add. */
            add?: components["schemas"]["Tag"][];
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description To remove. */
            remove?: components["schemas"]["Tag"][];
        };
        /**
         * Format: int64
         * @description Which log this is. It changes only when the log is another log (restored, re-created).
         */
        Epoch: number;
        /**
         * @description An [`Epoch`] as clients carry it: a text, because JavaScript's numbers are too short for it.
         * @example 1729
         */
        EpochText: string;
        /**
         * @description What a carrier's error asks of us (carriers.md B.1, "Classes for the engine").
         * @enum {string}
         */
        ErrorClass: "opt_out" | "permanent" | "landline" | "pace" | "policy" | "transient" | "ambiguous" | "rejected" | "too_late";
        /** @description What stays in its lane at every tenant from here on. */
        EveryonePaused: {
            /** @description What of them. */
            pause: components["schemas"]["Pause"];
        };
        /** @description What happened, without anything personal. `type` in JSON is the kind's name. */
        Fact: {
            /** @description A node became the feed's owner; its first batch. */
            data: components["schemas"]["FeedTaken"];
            /** @enum {string} */
            type: "feed.taken";
        } | {
            /** @description A contact was seen for the first time: its conversation exists. */
            data: components["schemas"]["ContactCreated"];
            /** @enum {string} */
            type: "contact.created";
        } | {
            /** @description Name or notes of a contact changed. */
            data: components["schemas"]["ContactUpdated"];
            /** @enum {string} */
            type: "contact.updated";
        } | {
            /** @description A contact may, or may no longer, be texted. */
            data: components["schemas"]["ConsentChanged"];
            /** @enum {string} */
            type: "consent.changed";
        } | {
            /** @description An address was found unable to receive texts (landline). */
            data: components["schemas"]["ContactUnreachable"];
            /** @enum {string} */
            type: "contact.unreachable";
        } | {
            /** @description Two contacts are one: this conversation is an alias of another. */
            data: components["schemas"]["ContactMerged"];
            /** @enum {string} */
            type: "contact.merged";
        } | {
            /** @description An admin recorded new consent: it may be texted again. */
            data: components["schemas"]["ConsentRecorded"];
            /** @enum {string} */
            type: "consent.recorded";
        } | {
            /** @description It seems to ask for no more texts, in words that are no keyword: automation waits for a person. */
            data: components["schemas"]["ConsentQuestioned"];
            /** @enum {string} */
            type: "consent.questioned";
        } | {
            /** @description An operator blocked the contact: what it sends is kept, and nobody is bothered with it. */
            data: components["schemas"]["ContactBlocked"];
            /** @enum {string} */
            type: "contact.blocked";
        } | {
            /** @description The contact is like any other again. */
            data: components["schemas"]["ContactUnblocked"];
            /** @enum {string} */
            type: "contact.unblocked";
        } | {
            /** @description A contact wrote. */
            data: components["schemas"]["MessageReceived"];
            /** @enum {string} */
            type: "message.received";
        } | {
            /** @description A text entered its lane. */
            data: components["schemas"]["MessageQueued"];
            /** @enum {string} */
            type: "message.queued";
        } | {
            /** @description A lane took a text: durable before the first byte goes to the carrier. */
            data: components["schemas"]["MessageClaimed"];
            /** @enum {string} */
            type: "message.claimed";
        } | {
            /** @description A text's status moved up. */
            data: components["schemas"]["MessageStatus"];
            /** @enum {string} */
            type: "message.status";
        } | {
            /** @description A text goes back to its lane as a new attempt (paced, transient, or asked for by a person). */
            data: components["schemas"]["MessageRequeued"];
            /** @enum {string} */
            type: "message.requeued";
        } | {
            /** @description Something arrived for a parked conversation: stored raw, replayed on release. */
            data: components["schemas"]["MessageUnprocessed"];
            /** @enum {string} */
            type: "message.unprocessed";
        } | {
            /** @description An unprocessed arrival was played again. */
            data: components["schemas"]["MessageReplayed"];
            /** @enum {string} */
            type: "message.replayed";
        } | {
            /** @description A queued text stays here for a while, for whoever wrote it to take it back. */
            data: components["schemas"]["MessageHeld"];
            /** @enum {string} */
            type: "message.held";
        } | {
            /** @description A call to the line was not answered. */
            data: components["schemas"]["CallMissed"];
            /** @enum {string} */
            type: "call.missed";
        } | {
            /** @description A missed call got no text, and why. */
            data: components["schemas"]["TextBackSkipped"];
            /** @enum {string} */
            type: "textback.skipped";
        } | {
            /** @description A call was answered, or came back to something other than missed. */
            data: components["schemas"]["CallAnswered"];
            /** @enum {string} */
            type: "call.answered";
        } | {
            /** @description A call is over, and who took it is not known yet. */
            data: components["schemas"]["CallEnded"];
            /** @enum {string} */
            type: "call.ended";
        } | {
            /** @description The caller left a message. */
            data: components["schemas"]["CallVoicemail"];
            /** @enum {string} */
            type: "call.voicemail";
        } | {
            /** @description Somebody called back and spoke with them. */
            data: components["schemas"]["CallReturned"];
            /** @enum {string} */
            type: "call.returned";
        } | {
            /** @description A note beside the messages. */
            data: components["schemas"]["NoteAdded"];
            /** @enum {string} */
            type: "note.added";
        } | {
            /** @description The conversation has another, or no, assignee. */
            data: components["schemas"]["ConversationAssigned"];
            /** @enum {string} */
            type: "conversation.assigned";
        } | {
            /** @description Nothing more to do for now: the episode ends. */
            data: components["schemas"]["ConversationResolved"];
            /** @enum {string} */
            type: "conversation.resolved";
        } | {
            /** @description Open again: a new episode begins. */
            data: components["schemas"]["ConversationReopened"];
            /** @enum {string} */
            type: "conversation.reopened";
        } | {
            /** @description Hidden until a time. */
            data: components["schemas"]["ConversationSnoozed"];
            /** @enum {string} */
            type: "conversation.snoozed";
        } | {
            /** @description Shown again because its time came. */
            data: components["schemas"]["ConversationWoken"];
            /** @enum {string} */
            type: "conversation.woken";
        } | {
            /** @description Tags added and removed. */
            data: components["schemas"]["ConversationTagged"];
            /** @enum {string} */
            type: "conversation.tagged";
        } | {
            /** @description An operator has seen everything up to an offset. */
            data: components["schemas"]["ConversationRead"];
            /** @enum {string} */
            type: "conversation.read";
        } | {
            /** @description A conversation keeps crashing: it decides nothing until released. */
            data: components["schemas"]["ConversationParked"];
            /** @enum {string} */
            type: "conversation.parked";
        } | {
            /** @description A parked conversation decides again. */
            data: components["schemas"]["ConversationReleased"];
            /** @enum {string} */
            type: "conversation.released";
        } | {
            /** @description Whoever is on it is away, and the contact waits: it goes back to nobody at a time, or no longer does. */
            data: components["schemas"]["ReturnSet"];
            /** @enum {string} */
            type: "conversation.return_set";
        } | {
            /** @description The tenant's own settings. */
            data: components["schemas"]["TenantConfigured"];
            /** @enum {string} */
            type: "settings.tenant";
        } | {
            /** @description A line's settings. */
            data: components["schemas"]["ChannelConfigured"];
            /** @enum {string} */
            type: "settings.channel";
        } | {
            /** @description A template's text. */
            data: components["schemas"]["TemplateConfigured"];
            /** @enum {string} */
            type: "settings.template";
        } | {
            /** @description A limit of pace. */
            data: components["schemas"]["LimitConfigured"];
            /** @enum {string} */
            type: "settings.limit";
        } | {
            /** @description An operator was added, changed or revoked. */
            data: components["schemas"]["OperatorConfigured"];
            /** @enum {string} */
            type: "settings.operator";
        } | {
            /** @description A secret changed; the secret itself is in the sealed table. */
            data: components["schemas"]["SecretChanged"];
            /** @enum {string} */
            type: "settings.secret";
        } | {
            /** @description Texts are held back, or leave again. */
            data: components["schemas"]["PauseChanged"];
            /** @enum {string} */
            type: "settings.pause";
        } | {
            /** @description Queued texts are taken back, many at once. */
            data: components["schemas"]["QueueCancelOrdered"];
            /** @enum {string} */
            type: "queue.cancel_ordered";
        } | {
            /** @description What an operator signs in with changed; what it is stands in the sealed table. */
            data: components["schemas"]["CredentialChanged"];
            /** @enum {string} */
            type: "settings.credential";
        } | {
            /** @description An operator's own filters of the inbox. */
            data: components["schemas"]["FiltersSaved"];
            /** @enum {string} */
            type: "settings.filters";
        } | {
            /** @description An operator is away, or back. */
            data: components["schemas"]["AvailabilityChanged"];
            /** @enum {string} */
            type: "operator.availability";
        } | {
            /** @description The hours by which an operator is available. */
            data: components["schemas"]["HoursSet"];
            /** @enum {string} */
            type: "operator.hours";
        } | {
            /** @description How an operator wants their desk. */
            data: components["schemas"]["PreferencesSet"];
            /** @enum {string} */
            type: "settings.preferences";
        } | {
            /** @description A tenant exists. */
            data: components["schemas"]["TenantRegistered"];
            /** @enum {string} */
            type: "directory.tenant";
        } | {
            /** @description An address routes to a tenant's channel: claimed here, hence unique. */
            data: components["schemas"]["ChannelClaimed"];
            /** @enum {string} */
            type: "directory.channel";
        } | {
            /** @description A carrier account and where its secret is. */
            data: components["schemas"]["AccountRegistered"];
            /** @enum {string} */
            type: "directory.account";
        } | {
            /** @description Every tenant's texts are held back, or leave again. */
            data: components["schemas"]["EveryonePaused"];
            /** @enum {string} */
            type: "directory.pause";
        } | {
            /** @description Every node reads more kinds of events: from here on they may be written. */
            data: components["schemas"]["WriteVersionRaised"];
            /** @enum {string} */
            type: "directory.write_version";
        } | {
            /** @description A line's arrivals were read back from the carrier up to a time. */
            data: components["schemas"]["LineCaughtUp"];
            /** @enum {string} */
            type: "line.caught_up";
        } | {
            /** @description A kind that this version does not know: carried byte for byte, shown as hidden. */
            data: components["schemas"]["Foreign"];
            /** @enum {string} */
            type: "hidden";
        };
        /** @description First batch of a new owner. */
        FeedTaken: {
            /** @description Which log this is. */
            epoch: components["schemas"]["Epoch"];
            /** @description The owner from here on. */
            node: components["schemas"]["NodeId"];
        };
        /** @description Figures over some hours. */
        FiguresPage: {
            /** @description Whether the log is longer than that: the counting catches up, ask again. */
            behind: boolean;
            /** @description Begin of the first hour. */
            from: components["schemas"]["Stamp"];
            /** @description Hours in which something was counted, oldest first. */
            hours: components["schemas"]["HourFigures"][];
            /** @description Each number, by name. */
            lines: components["schemas"]["LineFigures"][];
            /** @description What of the log is counted. */
            position: components["schemas"]["Position"];
            since?: components["schemas"]["Stamp"] | null;
            /** @description All hours as one. */
            total: components["schemas"]["Sums"];
        };
        /** @description Absolute: all filters of the operator after the change. */
        FiltersSaved: {
            /** @description In their order. */
            filters: components["schemas"]["SavedFilter"][];
            /** @description Whose. */
            operator: components["schemas"]["OperatorId"];
        };
        /**
         * @description A view of the inbox that a filter narrows down.
         * @enum {string}
         */
        FilterView: "mine" | "unassigned" | "all" | "missed" | "snoozed" | "resolved";
        /** @description An event of a newer version: its bytes as they were. */
        Foreign: Record<string, never>;
        /** @description One hour. */
        HourFigures: components["schemas"]["Sums"] & {
            /** @description Its begin. */
            at: components["schemas"]["Stamp"];
        };
        /** @description What follows from them comes right after, as `operator.availability`. */
        HoursSet: {
            hours?: components["schemas"]["WeekHours"] | null;
            /** @description Whose. */
            operator: components["schemas"]["OperatorId"];
        };
        /** @description A part of a day. What goes on after midnight is a part of the next day, too. */
        HoursSpan: {
            /** @description Which day. */
            day: components["schemas"]["Weekday"];
            /**
             * Format: int32
             * @description Minutes after midnight by the clock on the wall, 0 to 1439.
             */
            from_min: number;
            /**
             * Format: int32
             * @description Minutes after midnight, not included; later than `from_min`, at most 1440: the end of the day.
             */
            until_min: number;
        };
        /** @description A page of the inbox, newest activity first. */
        InboxPage: components["schemas"]["Position"] & {
            /** @description Where the next page begins; none: this was the last. */
            next?: string | null;
            /** @description What is held back; absent: texts leave. `settings.pause` in the stream changes it. */
            paused?: components["schemas"]["Pauses"];
            /** @description The conversations. */
            rows: components["schemas"]["InboxRow"][];
        };
        /** @description One conversation as a list shows it. */
        InboxRow: {
            /** @description Last activity, in microseconds since the epoch. */
            activity: components["schemas"]["Stamp"];
            /** @description The contact's address; `anonymous` if it was hidden. */
            address?: string | null;
            assigned?: components["schemas"]["OperatorId"] | null;
            blocked?: components["schemas"]["BlockReason"] | null;
            channel?: components["schemas"]["ChannelId"] | null;
            /** @description May it be texted? */
            consent: components["schemas"]["Consent"];
            /** @description It seems to ask for no more texts: automation waits until `opt-out` or `opt-in` says what was meant. */
            consent_questioned?: boolean;
            consent_source?: components["schemas"]["ConsentSource"] | null;
            /** @description Its contact. */
            contact: components["schemas"]["ContactId"];
            /** @description Which. */
            conversation: components["schemas"]["ConversationId"];
            /**
             * Format: int32
             * @description How many times it has been opened, from 1.
             */
            episode: number;
            /** @description The contact was erased: name, address and texts are gone for good. */
            erased?: boolean;
            /** @description Last offset of the conversation that this row includes. An event up to it must not be applied again. */
            last: components["schemas"]["Offset"];
            /** @description The last inbound message or missed call: whoever has seen it has seen all that was unread. */
            last_inbound: components["schemas"]["Offset"];
            last_message?: components["schemas"]["LastMessage"] | null;
            merged_into?: components["schemas"]["ConversationId"] | null;
            missed_call?: components["schemas"]["Stamp"] | null;
            /** @description The contact's name. */
            name?: string | null;
            /** @description Whether the episode is open. */
            open: boolean;
            /** @description Whether it decides nothing until released. */
            parked: boolean;
            /** @description Whether the address can be answered. */
            reachable: boolean;
            /** @description Everything up to here has been seen. */
            read_up_to: components["schemas"]["Offset"];
            snoozed_until?: components["schemas"]["Stamp"] | null;
            /** @description Labels, sorted. */
            tags: components["schemas"]["Tag"][];
            /** @description Arrivals of the parked time not yet played again. */
            unprocessed: number;
            /**
             * Format: int32
             * @description The carrier's error that proved the address unable to receive texts.
             */
            unreachable?: number | null;
            /**
             * Format: int32
             * @description Inbound messages and missed calls that nobody has seen.
             */
            unread: number;
            waiting_since?: components["schemas"]["Stamp"] | null;
        };
        /** @description Somebody who is to sign in. */
        Invite: {
            /** @description What they sign in with. */
            email: string;
            /** @description As whom the others see them. */
            operator: components["schemas"]["OperatorId"];
            /** @description What they may. Only an owner makes owners. */
            role: components["schemas"]["Role"];
        };
        /**
         * Format: uuid
         * @description A personal key: one per contact, destroyed to erase the contact.
         */
        KeyId: string;
        /**
         * @description Keywords that carriers and law know (carriers.md D.1).
         * @enum {string}
         */
        Keyword: "stop" | "start" | "help";
        /** @description What the engine says after a keyword that it answers. None: a sentence of its own that names the business. */
        KeywordAnswers: {
            help?: components["schemas"]["TemplateId"] | null;
            start?: components["schemas"]["TemplateId"] | null;
            stop?: components["schemas"]["TemplateId"] | null;
        };
        /** @description The last message of a conversation, shortened. */
        LastMessage: {
            /** @description When, in microseconds since the epoch. */
            at: components["schemas"]["Stamp"];
            /** @description Which way. */
            direction: components["schemas"]["Direction"];
            /** @description Number of pictures and files. */
            media: number;
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /** @description The event that made it. */
            offset: components["schemas"]["Offset"];
            status?: components["schemas"]["Status"] | null;
            /** @description Its first characters. */
            text?: string | null;
        };
        /** @description A limit of pace. */
        LimitConfigured: {
            /** @description All limits of the tenant's sender. */
            channel: components["schemas"]["ChannelId"];
            /** @description All of them. */
            limits: components["schemas"]["LimitSettings"];
        };
        /** @description How fast a line may send: levels from the account down to the pair (carriers.md D.7). `None`: no limit at that level. */
        LimitSettings: {
            /**
             * Format: int32
             * @description Segments per second of the whole carrier account.
             */
            account_per_s?: number | null;
            brand_per_day?: components["schemas"]["NamedLimit"] | null;
            campaign_per_min?: components["schemas"]["NamedLimit"] | null;
            /**
             * @description What networks take of a brand in a Pacific day. Nobody tells us the network of a number: a text counts against
             *     every one of these.
             */
            networks_per_day?: components["schemas"]["NetworkLimit"][];
            /**
             * Format: int32
             * @description Segments per second of this number.
             */
            number_per_s?: number | null;
            /**
             * Format: int32
             * @description Seconds between two messages to one contact.
             */
            pair_interval_s?: number | null;
        };
        /** @description A line's arrivals were read back from the carrier. */
        LineCaughtUp: {
            /** @description Which line. */
            channel: components["schemas"]["ChannelId"];
            /**
             * Format: int32
             * @description What had been missed since the last time.
             */
            found: number;
            /** @description Nothing before this is missing. */
            up_to: components["schemas"]["Stamp"];
        };
        /** @description One number. */
        LineFigures: components["schemas"]["Sums"] & {
            /** @description The number itself; none: the line is no longer configured. */
            address?: string | null;
            /** @description Which. */
            channel: components["schemas"]["ChannelId"];
            live?: components["schemas"]["LineLive"] | null;
        };
        /** @description A number right now. */
        LineLive: {
            /**
             * Format: int64
             * @description Texts on their way to the carrier.
             */
            in_flight: number;
            paused?: components["schemas"]["Pause"] | null;
            /**
             * Format: int32
             * @description Segments that it may send in a second; none: no limit.
             */
            per_s?: number | null;
            /**
             * Format: int32
             * @description Segments given to the carrier within the last whole minute and the one under way.
             */
            segments: number;
            /**
             * Format: int64
             * @description Texts that wait.
             */
            waiting: number;
        };
        /** @description How one line stands with limits that nodes share. */
        LinePace: {
            /** @description Which. */
            channel: components["schemas"]["ChannelId"];
            /** @description How. */
            standing: components["schemas"]["PaceStanding"];
        };
        /** @description Sums of one line. */
        LineTotal: {
            /** @description Which. */
            channel: components["schemas"]["ChannelId"];
            /**
             * Format: int64
             * @description Their cost.
             */
            segments: number;
            /**
             * Format: int64
             * @description How many.
             */
            texts: number;
        };
        /** @description A list. */
        Listing_ChannelView: {
            /** @description Everything there is, in order of name. */
            rows: (components["schemas"]["ChannelSettings"] & {
                /** @description Which. */
                channel: components["schemas"]["ChannelId"];
                /** @description How fast it may send. */
                limits: components["schemas"]["LimitSettings"];
            })[];
        };
        /** @description A list. */
        Listing_OperatorView: {
            /** @description Everything there is, in order of name. */
            rows: {
                /** @description What they sign in with; none: they come with tokens that others mint. */
                email?: string | null;
                hours?: components["schemas"]["WeekHours"] | null;
                /** @description Who. */
                operator: components["schemas"]["OperatorId"];
                role?: components["schemas"]["Role"] | null;
                sign_in?: components["schemas"]["SignInState"] | null;
            }[];
        };
        /** @description A list. */
        Listing_TemplateView: {
            /** @description Everything there is, in order of name. */
            rows: {
                /**
                 * Format: int32
                 * @description Its cost when rendered, in segments.
                 */
                segments: number;
                /** @description Which. */
                template: components["schemas"]["TemplateId"];
                /** @description Its text. */
                text: string;
            }[];
        };
        /** @description A list. */
        Listing_TenantId: {
            /** @description Everything there is, in order of name. */
            rows: string[];
        };
        /** @description A picture or file, kept by reference to where the carrier holds it. */
        MediaRef: {
            /** @description MIME type as the carrier said. */
            content_type: string;
            /** @description Where the carrier serves it. */
            url: string;
        };
        /** @description Durable before the first byte goes to the carrier. */
        MessageClaimed: {
            /** @description An earlier text to this contact is still unknown: this one no longer waits for it. */
            after_unknown: boolean;
            /**
             * Format: int32
             * @description From 1.
             */
            attempt: number;
            /** @description The call is dropped after this, its socket aborted. */
            deadline: components["schemas"]["Stamp"];
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /** @description Who sends. */
            node: components["schemas"]["NodeId"];
            /**
             * Format: int32
             * @description Charged to the limits, in segments.
             */
            segments: number;
        };
        /** @description Comes right after its `message.queued`. */
        MessageHeld: {
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /** @description It does not leave before. */
            until: components["schemas"]["Stamp"];
        };
        /**
         * Format: uuid
         * @description One message, in or out.
         */
        MessageId: string;
        /** @description Part: text, media. */
        MessageQueued: {
            /** @description The line it leaves from. */
            channel: components["schemas"]["ChannelId"];
            /** @description Ours. */
            message: components["schemas"]["MessageId"];
            /** @description Who goes first. */
            priority: components["schemas"]["Priority"];
            /** @description Why. */
            purpose: components["schemas"]["Purpose"];
            /**
             * Format: int32
             * @description Its cost, in segments.
             */
            segments: number;
            template?: components["schemas"]["TemplateId"] | null;
            /** @description Never sent after this. */
            valid_until: components["schemas"]["Stamp"];
        };
        /** @description Part: text, media. */
        MessageReceived: {
            /** @description The carrier's own id (MessageSid): what makes a redelivery the same message. */
            carrier_id: string;
            /** @description The line it came in on. */
            channel: components["schemas"]["ChannelId"];
            keyword?: components["schemas"]["Keyword"] | null;
            /**
             * Format: int32
             * @description Number of media.
             */
            media: number;
            /** @description Ours. */
            message: components["schemas"]["MessageId"];
            /**
             * Format: int32
             * @description Segments as the carrier counted.
             */
            segments: number;
        };
        /** @description An unprocessed arrival went through the door again. */
        MessageReplayed: {
            /** @description Offset of its `message.unprocessed`. */
            unprocessed: components["schemas"]["Offset"];
        };
        /** @description Back in its lane. */
        MessageRequeued: {
            /**
             * Format: int32
             * @description The attempt to come.
             */
            attempt: number;
            error?: components["schemas"]["CarrierError"] | null;
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /** @description Not before this. */
            not_before: components["schemas"]["Stamp"];
            /** @description Never sent after this. */
            valid_until: components["schemas"]["Stamp"];
        };
        /** @description A step up the lattice of one attempt. */
        MessageStatus: {
            /**
             * Format: int32
             * @description Which attempt.
             */
            attempt: number;
            /** @description The carrier's id for it, once known. */
            carrier_id?: string | null;
            error?: components["schemas"]["CarrierError"] | null;
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /** @description From here on. */
            status: components["schemas"]["Status"];
        };
        /** @description Part: as text, the command as JSON. */
        MessageUnprocessed: {
            /** @description The line it came in on. */
            channel: components["schemas"]["ChannelId"];
            /** @description Its place in the parked queue is its offset; this is what makes a redelivery the same. */
            key: string;
        };
        /** @description One message. */
        MessageView: components["schemas"]["Position"] & {
            /** @description When, in microseconds since the epoch. */
            at: components["schemas"]["Stamp"];
            /** @description By whom. */
            by: components["schemas"]["Author"];
            /** @description The carrier's id for it, once known. */
            carrier_id?: string | null;
            /** @description The line. */
            channel: components["schemas"]["ChannelId"];
            /** @description Its conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description Which way. */
            direction: components["schemas"]["Direction"];
            /** @description The contact was erased: the text is gone for good. */
            erased: boolean;
            keyword?: components["schemas"]["Keyword"] | null;
            /** @description The event that made it. */
            made_at: components["schemas"]["Offset"];
            /** @description Pictures and files. */
            media: components["schemas"]["MediaRef"][];
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /**
             * Format: int32
             * @description Its cost.
             */
            segments: number;
            sending?: components["schemas"]["Sending"] | null;
            /** @description What was written. */
            text?: string | null;
        };
        /** @description Whoever asks, as the tenant knows them. */
        MeView: {
            /** @description Whether their contacts may count on them. */
            availability: components["schemas"]["Availability"];
            /** @description Everybody who is away. */
            away: components["schemas"]["OperatorId"][];
            /** @description Whether somebody said that they are available or away, against their hours: until then it lasts. */
            by_hand: boolean;
            /** @description Their own filters, in their order. */
            filters: components["schemas"]["SavedFilter"][];
            hours?: components["schemas"]["WeekHours"] | null;
            /** @description Who. */
            operator: components["schemas"]["OperatorId"];
            /** @description How they want their desk. */
            preferences: components["schemas"]["Preferences"];
            /** @description What they may do. */
            role: components["schemas"]["Role"];
            /** @description The business. */
            tenant: components["schemas"]["TenantId"];
            until?: components["schemas"]["Stamp"] | null;
        };
        /** @description A limit shared under a name. */
        NamedLimit: {
            /**
             * Format: int32
             * @description Segments per window.
             */
            limit: number;
            /** @description The brand or campaign id. */
            name: string;
        };
        /** @description What one network takes of one brand in a day (carriers.md D.7: T-Mobile's caps by brand). */
        NetworkLimit: {
            /** @description The brand's id. */
            brand: string;
            /**
             * Format: int32
             * @description Segments per Pacific day.
             */
            limit: number;
            /** @description The network's name, for example `t-mobile`. */
            network: string;
        };
        /** @description A contact of whom nobody wants to hear more. */
        NewBlock: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description Why. */
            why: components["schemas"]["BlockReason"];
        };
        /** @description What a contact who had opted out said to be texted again. */
        NewConsent: {
            /** @description How it was given. */
            how: components["schemas"]["ConsentMethod"];
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description When it was given, in microseconds since the epoch; not later than now. */
            when: components["schemas"]["Stamp"];
            /** @description What the contact said, word by word. */
            words: string;
        };
        /** @description A tenant to be made. */
        NewTenant: {
            /** @description The business's name as contacts know it; empty: set later. */
            business_name?: string;
            /** @description Its id. */
            tenant: components["schemas"]["TenantId"];
        };
        /** @description A process that owns tenants. Stable over restarts of the same data directory. */
        NodeId: string;
        /** @description Part: the note as text. */
        NoteAdded: {
            /** @description Names the note. */
            note: components["schemas"]["MessageId"];
        };
        /**
         * @description Kinds of numbers.
         * @enum {string}
         */
        NumberType: "long_code" | "toll_free" | "short_code";
        /**
         * Format: int64
         * @description Place of an event in its tenant's feed: dense, from 1. 0 is "before the first".
         */
        Offset: number;
        /** @description A link that sets a password, once. Whoever has it is that operator: hand it over in person or in private. */
        OneTimeLink: {
            /** @description To open in a browser. Its secret stands behind the `#`, which browsers do not send. */
            link: string;
            /** @description From then on it is worth nothing. */
            until: components["schemas"]["Stamp"];
        };
        /** @description An operator of the tenant. */
        OperatorConfigured: {
            /** @description Who. */
            operator: components["schemas"]["OperatorId"];
            role?: components["schemas"]["Role"] | null;
        };
        /** @description Who answers. Unique within a tenant. */
        OperatorId: string;
        /** @description What an operator may do. */
        OperatorRole: {
            role: components["schemas"]["Role"] | null;
        };
        /** @description An operator as the tenant configured it. */
        OperatorView: {
            /** @description What they sign in with; none: they come with tokens that others mint. */
            email?: string | null;
            hours?: components["schemas"]["WeekHours"] | null;
            /** @description Who. */
            operator: components["schemas"]["OperatorId"];
            role?: components["schemas"]["Role"] | null;
            sign_in?: components["schemas"]["SignInState"] | null;
        };
        /** @description An opt-out that an operator records. The body may be left out. */
        OptOut: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description What was said or seen, for whoever asks later: 1 to 1,600 characters. */
            reason?: string | null;
        };
        /**
         * @description Where a node's parts of shared limits come from.
         * @enum {string}
         */
        PaceStanding: "idle" | "granted" | "waiting" | "degraded";
        /** @description What a one-time link is for. */
        PageInvitation: {
            /** @description Theirs. */
            email: string;
            /** @description As whom. */
            operator: components["schemas"]["OperatorId"];
            /** @description They have a password, and replace it. */
            reset: boolean;
            /** @description What they may. */
            role: components["schemas"]["Role"];
            /** @description Where. */
            tenant: components["schemas"]["TenantId"];
        };
        /** @description A one-time link is used: this is the password from here on. */
        PageJoin: {
            /** @description Its secret part. */
            link: string;
            /** @description At least [`PASSWORD_MIN`] characters. */
            password: string;
        };
        /** @description A one-time link, as the page found it in its own address. */
        PageLink: {
            /** @description Its secret part. */
            link: string;
        };
        /** @description Where somebody is signed in. */
        PageSession: {
            /** @description What the browser calls itself. */
            agent: string;
            /** @description The one that asks. */
            current: boolean;
            /** @description Names it. */
            id: components["schemas"]["SessionId"];
            /** @description When it began. */
            since: components["schemas"]["Stamp"];
            /** @description When it ends by itself. */
            until: components["schemas"]["Stamp"];
        };
        /** @description Everywhere somebody is signed in, newest first. */
        PageSessions: {
            /** @description Theirs. */
            email: string;
            /** @description Each browser. */
            rows: components["schemas"]["PageSession"][];
        };
        /** @description How the page asks to be let in: with e-mail and password; with nothing, by its cookie or as the demo does. */
        PageSignIn: {
            /** @description Who. */
            email?: string | null;
            operator?: components["schemas"]["OperatorId"] | null;
            /** @description Theirs. */
            password?: string | null;
            tenant?: components["schemas"]["TenantId"] | null;
        };
        /** @description Which sessions end. */
        PageSignOut: {
            /** @description All of the same person. */
            everywhere?: boolean;
            session?: components["schemas"]["SessionId"] | null;
        };
        /** @description What the page calls the API and opens the stream with. Never kept on disk by the page. */
        PageToken: {
            /** @description Nobody signed in: the demo let its own page in. */
            demo: boolean;
            /** @description Who the page is now. */
            operator: components["schemas"]["OperatorId"];
            /** @description In demo mode: the page of the telephone that callers have. */
            phone?: string | null;
            /** @description What it may. */
            role: components["schemas"]["Role"];
            /** @description Whose data. */
            tenant: components["schemas"]["TenantId"];
            /** @description A bearer token like any other, of a short life. */
            token: string;
            /**
             * Format: int64
             * @description Seconds until it ends.
             */
            valid_s: number;
        };
        /** @description Conversations that decide nothing until they are released. */
        ParkedPage: components["schemas"]["Position"] & {
            /** @description The conversations; the first [`PAGE_MAX`] of them. */
            rows: components["schemas"]["InboxRow"][];
        };
        /**
         * @description What stays in its lane.
         * @enum {string}
         */
        Pause: "none" | "automatic" | "all";
        /** @description What stays in its lane from here on. */
        PauseChanged: {
            /** @description What of them. */
            pause: components["schemas"]["Pause"];
            /** @description Whose texts. */
            scope: components["schemas"]["PauseScope"];
        };
        /** @description What stays in its lane from here on, and at which line. */
        PauseOrder: {
            channel?: components["schemas"]["ChannelId"] | null;
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description From here on. */
            pause: components["schemas"]["Pause"];
        };
        /** @description All pauses that concern a tenant. */
        Pauses: {
            /** @description Of whoever runs the engine. */
            everyone: components["schemas"]["Pause"];
            /** @description Of its lines; one that is missing is not paused by itself. */
            lines: {
                [key: string]: components["schemas"]["Pause"];
            };
            /** @description Of the tenant as a whole. */
            tenant: components["schemas"]["Pause"];
        };
        /** @description Whose texts a pause is about. */
        PauseScope: "everyone" | "tenant" | {
            /** @description One line's. */
            line: components["schemas"]["ChannelId"];
        };
        /** @description A piece of a snippet. */
        Piece: {
            /** @description Whether it matches. */
            hit?: boolean;
            /** @description What was written. */
            text: string;
        };
        /** @description A command that needs no more than its route says. The body may be left out. */
        Plain: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
        };
        /** @description A position in a tenant's feed: what a dashboard resumes the stream from. */
        Position: {
            /** @description Which log. */
            epoch: components["schemas"]["EpochText"];
            /** @description Everything up to and including this offset is in the answer. */
            offset: components["schemas"]["Offset"];
        };
        /** @description What is left out is as the page has it by default. */
        Preferences: {
            /**
             * Format: int32
             * @description Seconds that a text can be taken back in; none: four.
             */
            hold_s?: number | null;
            /**
             * @description The page's language, as a tag of BCP 47; none: like the browser.
             * @example de
             */
            language?: string | null;
        };
        /** @description Absolute: all of them after the change. */
        PreferencesSet: {
            /** @description Whose. */
            operator: components["schemas"]["OperatorId"];
            /** @description In whatever browser. */
            preferences: components["schemas"]["Preferences"];
        };
        /**
         * @description Who goes first in a lane: higher first; within one, first come first served.
         * @enum {string}
         */
        Priority: "automatic" | "interactive" | "confirmation";
        /** @description RFC 9457 body. */
        Problem: {
            /** @description Stable. */
            code: components["schemas"]["Code"];
            /** @description What exactly, with the ids needed to act. Never a contact's text or number. */
            detail?: string | null;
            /** @description Which field is wrong. */
            field?: string | null;
            request?: components["schemas"]["RequestId"] | null;
            /**
             * Format: int64
             * @description Seconds after which to try again; also in `Retry-After`.
             */
            retry_after_s?: number | null;
            /**
             * Format: int32
             * @description HTTP status.
             */
            status: number;
            /** @description For people; may change. */
            title: string;
            /** @description `https://deskwire.dev/problems/<code>`; a name, not a page to fetch. */
            type: string;
        };
        /** @description Why a text was queued. */
        Purpose: "reply" | "text_back" | {
            /** @description The one confirmation of a keyword: passes the opt-out that it confirms. */
            confirmation: components["schemas"]["Keyword"];
        } | "campaign";
        /** @description What a preview shows, or what one step has done. */
        QueueCanceled: components["schemas"]["QueueTotals"] & {
            /**
             * @description Send it as `confirm`, with `"preview": false`, to take back these, or those that are left; none: nothing is left.
             *     The same one sent again takes nothing back twice.
             */
            confirm?: string | null;
            /**
             * Format: int64
             * @description Texts of this step that had left, expired or been canceled meanwhile.
             */
            gone: number;
            /**
             * Format: int64
             * @description Texts of this step whose conversation is parked: release it, or leave them to expire.
             */
            parked: number;
            /** @description Whether nothing was done yet. */
            preview: boolean;
        };
        /** @description Somebody took back every queued text of a kind; each then has its own `message.status`. */
        QueueCancelOrdered: {
            channel?: components["schemas"]["ChannelId"] | null;
            queued_before?: components["schemas"]["Stamp"] | null;
            template?: components["schemas"]["TemplateId"] | null;
            /** @description Queued by an event up to here: what came after the preview is left alone. */
            up_to: components["schemas"]["Offset"];
        };
        /** @description Where a queued text stands. */
        Queued: {
            day_ends?: components["schemas"]["Stamp"] | null;
            /**
             * Format: int64
             * @description When it probably leaves, in milliseconds from now; none while it is held back.
             */
            estimate_ms?: number | null;
            paused?: components["schemas"]["Pause"] | null;
            /**
             * Format: int32
             * @description 1: next.
             */
            place: number;
        };
        /** @description One queued text. */
        QueuedText: {
            /**
             * Format: int32
             * @description The attempt to come, from 1.
             */
            attempt: number;
            /** @description The line it leaves from. */
            channel: components["schemas"]["ChannelId"];
            /** @description Its conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description Which. */
            message: components["schemas"]["MessageId"];
            /** @description Who goes first. */
            priority: components["schemas"]["Priority"];
            /** @description Why it was queued. */
            purpose: components["schemas"]["Purpose"];
            /** @description When it was queued first. */
            queued: components["schemas"]["Stamp"];
            /**
             * Format: int32
             * @description Its cost.
             */
            segments: number;
            template?: components["schemas"]["TemplateId"] | null;
            /** @description Never sent after this. */
            valid_until: components["schemas"]["Stamp"];
        };
        /** @description A page of queued texts, oldest first. */
        QueuePage: components["schemas"]["Position"] & {
            next?: components["schemas"]["MessageId"] | null;
            /** @description How lines stand with limits that nodes share; absent: this node shares none, or no line is under one. */
            pace?: components["schemas"]["LinePace"][];
            /** @description What is held back; absent: texts leave. */
            paused?: components["schemas"]["Pauses"];
            /** @description The texts; a page may be empty and not the last. */
            rows: components["schemas"]["QueuedText"][];
            totals?: components["schemas"]["QueueTotals"] | null;
        };
        /** @description Sums over queued texts. */
        QueueTotals: {
            /** @description The same by line. */
            lines: components["schemas"]["LineTotal"][];
            /**
             * Format: int64
             * @description As many are at the carrier or claimed for it: too late to take back, unless the carrier refuses them.
             */
            on_their_way: number;
            /**
             * Format: int64
             * @description Their cost.
             */
            segments: number;
            /** @description The same by template. */
            templates: components["schemas"]["TemplateTotal"][];
            /**
             * Format: int64
             * @description How many.
             */
            texts: number;
        };
        /** @description What waits at a line, and what is left of its days. */
        QueueView: {
            /** @description Which line. */
            channel: components["schemas"]["ChannelId"];
            /** @description Each daily limit of the line. */
            days: components["schemas"]["DayView"][];
            /**
             * Format: int64
             * @description Texts that are on their way to the carrier.
             */
            in_flight: number;
            /**
             * Format: int64
             * @description Texts that wait.
             */
            waiting: number;
        };
        /** @description Seen by a person. */
        ReadUpTo: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description Everything up to and including this offset. */
            up_to: components["schemas"]["Offset"];
        };
        /** @description What an accepted command did. */
        Reply: {
            conversation?: components["schemas"]["ConversationId"] | null;
            message?: components["schemas"]["MessageId"] | null;
            /** @description Offset of the last event it produced; for a repetition, that of the original. */
            offset: components["schemas"]["Offset"];
        };
        /**
         * Format: uuid
         * @description One request of the outside world, the same in the log, in problems and in events.
         */
        RequestId: string;
        /** @description When it goes back to nobody, unless the contact was answered by then. */
        ReturnSet: {
            at?: components["schemas"]["Stamp"] | null;
        };
        /** @description Rings the business. */
        Ring: {
            /** @description Whoever answers must press 1: a voicemail that picks up has not taken the call. */
            confirm?: boolean;
            /** @description The telephone that rings, E.164. */
            phone: string;
            /**
             * Format: int32
             * @description How long, in seconds, 5 to 120.
             */
            ring_s?: number;
        };
        /**
         * @description Roles, from least to most. Frames of the stream are encoded once per role and shared.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "admin" | "owner";
        /** @description Conversations that meet all of it. Its name is the operator's own words; it should name no contact, for it is kept clear. */
        SavedFilter: {
            assigned?: components["schemas"]["OperatorId"] | null;
            channel?: components["schemas"]["ChannelId"] | null;
            /** @description 1 to 40 characters; an operator has no two of the same name. */
            name: string;
            /** @description Each of these tags. */
            tags?: components["schemas"]["Tag"][];
            /** @description Only with something that nobody has seen. */
            unread?: boolean;
            /** @description What it narrows down. */
            view: components["schemas"]["FilterView"];
            /** @description Only where the contact waits for a person. */
            waiting?: boolean;
        };
        /** @description One's own filters: all of them, in order. */
        SaveFilters: {
            /** @description At most 20. */
            filters: components["schemas"]["SavedFilter"][];
        };
        /** @description One event that matches. */
        SearchHit: {
            /** @description When, in microseconds since the epoch. */
            at: components["schemas"]["Stamp"];
            /** @description Its conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description The event. */
            offset: components["schemas"]["Offset"];
            /** @description What was written around the match, in pieces. */
            snippet: components["schemas"]["Piece"][];
            /** @description The event's kind, for example `message.received`. */
            type: string;
        };
        /** @description What a search found, newest first. */
        SearchPage: components["schemas"]["Position"] & {
            before?: components["schemas"]["Offset"] | null;
            contact?: components["schemas"]["InboxRow"] | null;
            /** @description Texts, notes and names. */
            hits: components["schemas"]["SearchHit"][];
        };
        /** @description A secret changed. */
        SecretChanged: {
            /** @description Whose. */
            account: components["schemas"]["AccountId"];
        };
        /** @description The way of an outbound message. */
        Sending: {
            /**
             * Format: int32
             * @description The current attempt, from 1.
             */
            attempt: number;
            error?: components["schemas"]["CarrierError"] | null;
            /** @description Who goes first. */
            priority: components["schemas"]["Priority"];
            /** @description Why it was queued. */
            purpose: components["schemas"]["Purpose"];
            queue?: components["schemas"]["Queued"] | null;
            /** @description The same in words, for people. */
            shown: string;
            /** @description Where the current attempt is. Within one attempt it never moves backwards. */
            status: components["schemas"]["Status"];
            template?: components["schemas"]["TemplateId"] | null;
            /** @description Never sent after this, in microseconds since the epoch. */
            valid_until: components["schemas"]["Stamp"];
        };
        /** @description A text to the contact of a conversation. */
        SendText: {
            channel?: components["schemas"]["ChannelId"] | null;
            /**
             * Format: int32
             * @description It stays here for so many seconds and can be taken back with `cancel`; none: it leaves when its turn comes.
             */
            hold_s?: number | null;
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description 1 to 1,600 characters. */
            text: string;
        };
        /** @description A text to a number; joins its conversation if there is one. */
        SendTextTo: {
            basis?: components["schemas"]["ConsentBasis"] | null;
            channel?: components["schemas"]["ChannelId"] | null;
            /**
             * Format: int32
             * @description It stays here for so many seconds and can be taken back with `cancel`; none: it leaves when its turn comes.
             */
            hold_s?: number | null;
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description 1 to 1,600 characters. */
            text: string;
            /** @description E.164. */
            to: string;
        };
        /**
         * Format: uuid
         * @description One browser in which somebody is signed in.
         */
        SessionId: string;
        /** @description Whether one's contacts may count on one. */
        SetAvailability: {
            /** @description From here on. */
            availability: components["schemas"]["Availability"];
        };
        /** @description A person's hours. */
        SetHours: {
            hours: components["schemas"]["WeekHours"] | null;
        };
        /**
         * @description What of signing in an operator has.
         * @enum {string}
         */
        SignInState: "invited" | "active";
        /**
         * @description Why a missed call got no text.
         * @enum {string}
         */
        SkipReason: "coverage_off" | "cool_down" | "opted_out" | "anonymous" | "unreachable" | "no_template" | "staff" | "abroad" | "consent_questioned" | "too_late" | "blocked";
        /** @description Hide until a time. */
        SnoozeUntil: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description Microseconds since the epoch; must lie ahead. */
            until: components["schemas"]["Stamp"];
        };
        /**
         * Format: int64
         * @description Microseconds since 1970-01-01T00:00:00Z. Stamps of a feed strictly increase.
         */
        Stamp: number;
        /**
         * @description Status of an outbound message. It only ever moves up [`Status::rank`]; what is late is dropped.
         *
         *     ```text
         *     queued → claimed → unknown → sent → failed → delivered → read
         *        └→ canceled                   (terminal before the carrier took it)
         *        └──────────────────────→ expired      (in our lane, or in the carrier's queue)
         *     ```
         *     `failed` ranks below `delivered`: a carrier that says both has delivered it (carriers.md B.1). `expired` may follow
         *     `sent`: a carrier that took a text may say that its validity ended before its turn came (Twilio's 30036).
         * @enum {string}
         */
        Status: "queued" | "claimed" | "unknown" | "sent" | "failed" | "delivered" | "read" | "canceled" | "expired";
        /** @description What is counted, and how soon first questions were answered. */
        Sums: components["schemas"]["Counts"] & {
            /**
             * Format: int32
             * @description Half of the answered first questions were answered within so many seconds; none: nothing was answered.
             */
            answer_half_s?: number | null;
            /**
             * Format: int32
             * @description Nine of ten were answered within so many seconds.
             */
            answer_most_s?: number | null;
        };
        /** @description A label on a conversation. Unique within a tenant. */
        Tag: string;
        /** @description A template. */
        TemplateConfigured: {
            settings?: components["schemas"]["TemplateSettings"] | null;
            /** @description Which. */
            template: components["schemas"]["TemplateId"];
        };
        /** @description A text with variables. Unique within a tenant. */
        TemplateId: string;
        /** @description A text with variables in braces: `{business}`. */
        TemplateSettings: {
            /** @description The text. */
            text: string;
        };
        /** @description Sums of one template. */
        TemplateTotal: {
            /**
             * Format: int64
             * @description Their cost.
             */
            segments: number;
            template?: components["schemas"]["TemplateId"] | null;
            /**
             * Format: int64
             * @description How many.
             */
            texts: number;
        };
        /** @description A template. */
        TemplateView: {
            /**
             * Format: int32
             * @description Its cost when rendered, in segments.
             */
            segments: number;
            /** @description Which. */
            template: components["schemas"]["TemplateId"];
            /** @description Its text. */
            text: string;
        };
        /** @description Settings of the tenant itself. */
        TenantConfigured: {
            /** @description All of them. */
            settings: components["schemas"]["TenantSettings"];
        };
        /** @description One business. */
        TenantId: string;
        /** @description A tenant exists. */
        TenantRegistered: {
            /** @description Who. */
            tenant: components["schemas"]["TenantId"];
        };
        /** @description Settings of a tenant. */
        TenantSettings: {
            /** @description The business's name as contacts know it; `{business}` in templates. */
            business_name: string;
        };
        /** @description The tenant and its own settings. */
        TenantView: components["schemas"]["TenantSettings"] & {
            /** @description Which. */
            tenant: components["schemas"]["TenantId"];
        };
        /** @description No text-back, and why. */
        TextBackSkipped: {
            /** @description The line that was called. */
            channel: components["schemas"]["ChannelId"];
            /** @description Why. */
            reason: components["schemas"]["SkipReason"];
        };
        /** @description Every template, as operators use them. */
        Texts: {
            /** @description What stands for `{business}`. */
            business_name: string;
            /** @description In order of name. */
            rows: components["schemas"]["CannedText"][];
        };
        /**
         * @description The door through which something came.
         * @enum {string}
         */
        Via: "webhook" | "stream" | "rest" | "command" | "engine";
        /** @description A message after the tone. */
        Voicemail: {
            /**
             * Format: int32
             * @description Longest message, in seconds, 5 to 600.
             * @default 120
             */
            max_s: number;
        };
        /** @description Who has had the call before us. */
        VoiceMode: "forwarded" | {
            /** @description The business's telephone rings; what nobody takes was missed. */
            ring: components["schemas"]["Ring"];
        };
        /** @description What becomes of a call to the line. */
        VoiceSettings: {
            /** @default null */
            greeting: components["schemas"]["TemplateId"] | null;
            /**
             * @description Whether the business's own telephone rings first.
             * @default forwarded
             */
            mode: components["schemas"]["VoiceMode"];
            /** @default null */
            voicemail: components["schemas"]["Voicemail"] | null;
        };
        /**
         * @description Days of the week.
         * @enum {string}
         */
        Weekday: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
        /** @description A week that repeats, by the clock of a place. It is right across changes of that clock. */
        WeekHours: {
            /** @description When they are there. None of them: never. One that touches or overlaps another goes on in it. */
            spans: components["schemas"]["HoursSpan"][];
            /**
             * @description The place, as the IANA database names it.
             * @example America/New_York
             */
            zone: string;
        };
        /**
         * @description One event in JSON: `{"offset":7,"at":…,"conversation":"…","previous":3,"by":"contact","via":"webhook",
         *     "request":"…","type":"message.received","data":{…},"text":"…"}`.
         */
        WireEvent: components["schemas"]["Fact"] & {
            /** @description The contact's address. */
            address?: string | null;
            /** @description Microseconds since the epoch. */
            at: components["schemas"]["Stamp"];
            /** @description Who. */
            by: components["schemas"]["Author"];
            conversation?: components["schemas"]["ConversationId"] | null;
            /** @description The person was erased: text, name and address are gone for good. */
            erased?: boolean;
            /** @description Pictures and files. */
            media?: components["schemas"]["MediaRef"][];
            /** @description The contact's name. */
            name?: string | null;
            /** @description Position in the tenant's feed. */
            offset: components["schemas"]["Offset"];
            previous?: components["schemas"]["Offset"] | null;
            /** @description By which request. */
            request: components["schemas"]["RequestId"];
            /** @description What was written. */
            text?: string | null;
            /** @description Through which door. */
            via: components["schemas"]["Via"];
        };
        /** @description A note beside the messages; contacts never see it. */
        WriteNote: {
            /** @description Makes a retry harmless; the header `Idempotency-Key` does the same and wins. */
            idempotency_key?: string | null;
            /** @description 1 to 10,000 characters. */
            text: string;
        };
        /**
         * Format: int32
         * @description Stands for all kinds of events, and versions of kinds, that came with it or before it. The one in force is in the
         *     directory; it is only ever raised, once every node reads what it allows.
         */
        WriteVersion: number;
        /** @description From here on every kind of event of this version may be written, to every tenant's log. */
        WriteVersionRaised: {
            /** @description Which. */
            version: components["schemas"]["WriteVersion"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_account: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountSecret"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    channels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Listing_ChannelView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_channel: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelSettings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    coverage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Coverage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_coverage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Coverage"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    limits: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitSettings"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_limits: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LimitSettings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    line_queue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ChannelId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterStatus"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invite: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Invite"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneTimeLink"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    operators: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Listing_OperatorView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    operator: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OperatorId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperatorView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_operator: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["OperatorId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OperatorRole"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_availability_of: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["OperatorId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetAvailability"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_hours_of: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["OperatorId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetHours"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OperatorId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneTimeLink"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    parked: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParkedPage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pause: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pauses"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_pause: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PauseOrder"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    queue: {
        parameters: {
            query?: {
                /** @description Where the page before ended. */
                after?: components["schemas"]["MessageId"];
                /** @description Of one line. */
                channel?: components["schemas"]["ChannelId"];
                /** @description Rows, 1 to 200. */
                limit?: number;
                /** @description Queued at least so many seconds ago. */
                older_than_s?: number;
                /** @description Made from one template. */
                template?: components["schemas"]["TemplateId"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuePage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CancelQueue"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueCanceled"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    templates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Listing_TemplateView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    template: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_template: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplateSettings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_template: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_tenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantSettings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tenants: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Listing_TenantId"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_tenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTenant"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    audit: {
        parameters: {
            query?: {
                /** @description Events after this offset; none: from the beginning. */
                after?: number;
                /** @description Rows, 1 to 200. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    conversation: {
        parameters: {
            query?: {
                /** @description Wait until the answer includes this offset, for a few seconds. */
                at_least?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    assign: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssignTo"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    block: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewBlock"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    called: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    record_consent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConsent"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    contact: {
        parameters: {
            query?: {
                /** @description Wait until the answer includes this offset, for a few seconds. */
                at_least?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_contact: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditContact"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                /** @description Events after this offset. */
                after?: number;
                /** @description Wait until the answer includes this offset, for a few seconds. */
                at_least?: number;
                /** @description Events before this offset; with neither, the newest. */
                before?: number;
                /** @description Rows, 1 to 200. */
                limit?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendText"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_note: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WriteNote"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    opt_in: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    opt_out: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OptOut"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    mark_read: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReadUpTo"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    release: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reopen: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resolve: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    snooze: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SnoozeUntil"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tag: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditTags"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unblock: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    figures: {
        parameters: {
            query?: {
                /** @description Of one number alone. */
                channel?: components["schemas"]["ChannelId"];
                /** @description So many hours up to now, 1 to 2,208; the one under way is the last. */
                hours?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FiguresPage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    inbox: {
        parameters: {
            query?: {
                /** @description Wait until the answer includes this offset, for a few seconds. */
                at_least?: number;
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200. */
                limit?: number;
                /** @description Open conversations (true, the default) or resolved ones. */
                open?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxPage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: {
                /** @description Wait until the answer includes this offset, for a few seconds. */
                at_least?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_availability: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetAvailability"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    save_filters: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveFilters"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_hours: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetHours"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_to: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendTextTo"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    message: {
        parameters: {
            query?: {
                /** @description Wait until the answer includes this offset, for a few seconds. */
                at_least?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a retry harmless: the same key with the same content gives the same reply and is done once. */
                "idempotency-key"?: string | null;
            };
            path: {
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Plain"] | null;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reply"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    search: {
        parameters: {
            query: {
                /** @description Only what is older than this offset: `before` of the page before. */
                before?: number;
                /** @description Rows, 1 to 200. */
                limit?: number;
                /** @description Words, all of which must occur, the last perhaps only begun; or a number. */
                q: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchPage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    texts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Texts"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
