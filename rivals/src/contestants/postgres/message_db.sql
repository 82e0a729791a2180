-- From message-db 1.3.1 (https://github.com/message-db/message-db, MIT): the table, its indexes, and
-- the functions that a write needs, word for word but for the debugging notices. write_messages
-- is write_message for several messages of one stream: it locks and checks once.

CREATE SCHEMA IF NOT EXISTS message_store;
SET search_path TO message_store, public;

CREATE TABLE IF NOT EXISTS message_store.messages (
  global_position bigserial NOT NULL PRIMARY KEY,
  position bigint NOT NULL,
  time TIMESTAMP WITHOUT TIME ZONE DEFAULT (now() AT TIME ZONE 'utc') NOT NULL,
  stream_name text NOT NULL,
  type text NOT NULL,
  data jsonb,
  metadata jsonb,
  id UUID NOT NULL DEFAULT gen_random_uuid()
);

CREATE OR REPLACE FUNCTION message_store.category(stream_name varchar)
RETURNS varchar
AS $$
BEGIN
  RETURN SPLIT_PART(category.stream_name, '-', 1);
END;
$$ LANGUAGE plpgsql
IMMUTABLE;

CREATE UNIQUE INDEX IF NOT EXISTS messages_id ON message_store.messages (id);

CREATE UNIQUE INDEX IF NOT EXISTS messages_stream
  ON message_store.messages (stream_name, position);

CREATE INDEX IF NOT EXISTS messages_category ON message_store.messages (
  message_store.category(stream_name),
  global_position,
  message_store.category(metadata->>'correlationStreamName')
);

CREATE OR REPLACE FUNCTION message_store.hash_64(value varchar)
RETURNS bigint
AS $$
DECLARE
  _hash bigint;
BEGIN
  SELECT left('x' || md5(hash_64.value), 17)::bit(64)::bigint INTO _hash;
  return _hash;
END;
$$ LANGUAGE plpgsql
IMMUTABLE;

CREATE OR REPLACE FUNCTION message_store.acquire_lock(stream_name varchar)
RETURNS bigint
AS $$
DECLARE
  _category varchar;
  _category_name_hash bigint;
BEGIN
  _category := message_store.category(acquire_lock.stream_name);
  _category_name_hash := message_store.hash_64(_category);
  PERFORM pg_advisory_xact_lock(_category_name_hash);
  RETURN _category_name_hash;
END;
$$ LANGUAGE plpgsql
VOLATILE;

CREATE OR REPLACE FUNCTION message_store.stream_version(stream_name varchar)
RETURNS bigint
AS $$
DECLARE
  _stream_version bigint;
BEGIN
  SELECT
    max(position) into _stream_version
  FROM
    message_store.messages
  WHERE
    messages.stream_name = stream_version.stream_name;

  RETURN _stream_version;
END;
$$ LANGUAGE plpgsql
VOLATILE;

CREATE OR REPLACE FUNCTION message_store.write_messages(
  stream_name varchar,
  ids uuid[],
  "type" varchar,
  data text[],
  expected_version bigint DEFAULT NULL
)
RETURNS bigint
AS $$
DECLARE
  _stream_version bigint;
BEGIN
  PERFORM message_store.acquire_lock(write_messages.stream_name);

  _stream_version := message_store.stream_version(write_messages.stream_name);

  IF _stream_version IS NULL THEN
    _stream_version := -1;
  END IF;

  IF write_messages.expected_version IS NOT NULL THEN
    IF write_messages.expected_version != _stream_version THEN
      RAISE EXCEPTION
        'Wrong expected version: % (Stream: %, Stream Version: %)',
        write_messages.expected_version,
        write_messages.stream_name,
        _stream_version;
    END IF;
  END IF;

  INSERT INTO message_store.messages (id, stream_name, position, type, data)
  SELECT
    given.id,
    write_messages.stream_name,
    _stream_version + given.nth,
    write_messages.type,
    given.data::jsonb
  FROM unnest(write_messages.ids, write_messages.data) WITH ORDINALITY AS given (id, data, nth);

  RETURN _stream_version + cardinality(write_messages.ids);
END;
$$ LANGUAGE plpgsql
VOLATILE;
