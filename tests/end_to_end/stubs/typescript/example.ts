// The gateway from TypeScript, with types that are generated from the proto files.
//
// Run:         npm ci && npm start
// Environment: EMSDB_ADDRESS (127.0.0.1:50051), EMSDB_TOKEN if the gateway wants one.
// Works on PostgreSQL and on SQLite. Ends with a status other than 0 if anything is not as it should be.
//
// 64-bit integers are strings here (`longs: String`): a number of JavaScript is exact only up to
// 2^53. Where one is needed to count with, BigInt(text) has all its digits.

import assert from 'node:assert';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';
import type { ProtoGrpcType as QueryProto } from './generated/query_service';
import type { ProtoGrpcType as TransactionProto } from './generated/transaction_service';
import type { ProtoGrpcType as StatusProto } from './generated/rpc_status';
import type { QueryResponse__Output } from './generated/emsdb/v1/QueryResponse';
import type { BeginTransactionResponse__Output } from './generated/emsdb/v1/BeginTransactionResponse';
import type { CommitTransactionResponse__Output } from './generated/emsdb/v1/CommitTransactionResponse';

import type { Value, Value__Output } from './generated/emsdb/v1/Value';
import type { ErrorInfo__Output } from './generated/emsdb/wire/v1/ErrorInfo';

const options: loader.Options = {
  // As compiled by tsc this file is in build/.
  includeDirs: [path.resolve(__dirname, '../../../../../proto')],
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
};

const definition = loader.loadSync(
  ['emsdb/v1/query_service.proto', 'emsdb/v1/transaction_service.proto', 'emsdb/wire/v1/rpc_status.proto'],
  options);
const proto = grpc.loadPackageDefinition(definition) as unknown as
  QueryProto & TransactionProto & StatusProto;

const address = process.env['EMSDB_ADDRESS'] ?? '127.0.0.1:50051';
const credentials = grpc.credentials.createInsecure();
const queries = new proto.emsdb.v1.QueryService(address, credentials);
const transactions = new proto.emsdb.v1.TransactionService(address, credentials);

const metadata = new grpc.Metadata();
metadata.set('emsdb-caller', 'example');
if (process.env['EMSDB_TOKEN']) metadata.set('authorization', `Bearer ${process.env['EMSDB_TOKEN']}`);

// Every call should have a deadline.
const inTenSeconds = (): grpc.CallOptions => ({ deadline: Date.now() + 10_000 });

// One unary call as a promise.
function call<Response>(
  start: (done: (error: grpc.ServiceError | null, response?: Response) => void) => void,
): Promise<Response> {
  return new Promise((resolve, reject) =>
    start((error, response) => (error || !response ? reject(error) : resolve(response))));
}

// What a parameter may be: null, boolean, bigint (int64), number (double), string, bytes.
type Parameter = null | boolean | bigint | number | string | Buffer;

function toValue(parameter: Parameter): Value {
  if (parameter === null) return { nullValue: 'NULL_VALUE' };
  if (typeof parameter === 'boolean') return { boolValue: parameter };
  if (typeof parameter === 'bigint') return { int64Value: parameter.toString() };
  if (typeof parameter === 'number') return { doubleValue: parameter };
  if (typeof parameter === 'string') return { stringValue: parameter };
  return { bytesValue: parameter };
}

function fromValue(value: Value__Output): Parameter {
  switch (value.kind) {
    case 'nullValue': return null;
    case 'boolValue': return value.boolValue ?? false;
    case 'int64Value': return BigInt(value.int64Value ?? 0);
    case 'doubleValue': return Number(value.doubleValue);  // 'NaN' and 'Infinity' come as strings
    case 'stringValue': return value.stringValue ?? '';
    case 'bytesValue': return value.bytesValue ?? Buffer.alloc(0);
    default: throw new Error('a value without a kind');
  }
}

function query(sql: string, parameters: Parameter[] = [], transactionId?: string) {
  const request = {
    database: 'main',
    statement: { sql, parameters: parameters.map(toValue) },
    transaction: transactionId === undefined ? null : { id: transactionId },
  };
  return call<QueryResponse__Output>((done) => queries.query(request, metadata, inTenSeconds(), done));
}

// The reason, and details such as sqlstate, from an error of the gateway.
function errorInfo(error: grpc.ServiceError): ErrorInfo__Output | undefined {
  const decode = (name: string, bytes: Buffer): any =>
    (definition[name] as loader.MessageTypeDefinition<object, object>).deserialize(bytes);
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return undefined;
  // google.protobuf.Any is unpacked by the loader where it knows the type; these it does not.
  for (const detail of decode('emsdb.wire.v1.RpcStatus', bytes).details) {
    if (detail.type_url === 'type.googleapis.com/google.rpc.ErrorInfo') {
      return decode('emsdb.wire.v1.ErrorInfo', detail.value) as ErrorInfo__Output;
    }
  }
  return undefined;
}

async function main() {
  await query('DROP TABLE IF EXISTS example_typescript');
  await query('CREATE TABLE example_typescript (id bigint PRIMARY KEY, name text NOT NULL, note text)');

  // Both rows, or none. Without the commit the gateway rolls back after a while.
  const { transactionId } = await call<BeginTransactionResponse__Output>((done) =>
    transactions.beginTransaction({ database: 'main' }, metadata, inTenSeconds(), done));
  const insert = 'INSERT INTO example_typescript VALUES ($1, $2, $3)';
  await query(insert, [9223372036854775807n, 'Medic 7', null], transactionId);
  await query(insert, [2n, 'Engine 12', ''], transactionId);
  await call<CommitTransactionResponse__Output>((done) =>
    transactions.commitTransaction({ transactionId }, metadata, inTenSeconds(), done));

  const answer = await query('SELECT id, name, note FROM example_typescript WHERE id > $1 ORDER BY id', [1n]);
  const rows = answer.rows.map((row) => row.values.map(fromValue));
  for (const row of rows) console.log(row);
  assert.deepStrictEqual(rows, [[2n, 'Engine 12', ''], [9223372036854775807n, 'Medic 7', null]]);

  const refusal: grpc.ServiceError = await query(insert, [2n, 'Engine 12', null]).then(
    () => assert.fail('the same key twice must be refused'), (error) => error);
  const info = errorInfo(refusal);
  console.log(`refused: ${grpc.status[refusal.code]} ${info?.reason} ${info?.metadata['sqlstate'] ?? ''}`);
  assert.strictEqual(refusal.code, grpc.status.ALREADY_EXISTS);
  assert.strictEqual(info?.domain, 'emsdb.v1');
  assert.strictEqual(info?.reason, 'SQL_ERROR');

  await query('DROP TABLE example_typescript');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
}).finally(() => {
  queries.close();
  transactions.close();
});
