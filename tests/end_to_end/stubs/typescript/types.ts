// Sends the cases of tests/end_to_end/types/run.py through the TypeScript stubs.

import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';
import type { ProtoGrpcType } from './generated/query_service';
import type { Value, Value__Output } from './generated/emsdb/v1/Value';
import type { QueryResponse__Output } from './generated/emsdb/v1/QueryResponse';
import type { ExecuteBatchResponse__Output } from './generated/emsdb/v1/ExecuteBatchResponse';

type Pair = [kind: string, text: string];
interface Statement { sql: string; parameters: Pair[] }
interface Case { name: string; statements: Statement[]; columns: string[]; row: Pair[] }
type Done<Response> = (error: grpc.ServiceError | null, response?: Response) => void;

const includeDirs = [path.resolve(__dirname, '../../../../../proto')];
const definition = loader.loadSync('emsdb/v1/query_service.proto',
  { includeDirs, longs: String, enums: String, defaults: true, oneofs: true });
const proto = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;
const queries = new proto.emsdb.v1.QueryService(
  process.env['EMSDB_ADDRESS'] ?? '', grpc.credentials.createInsecure());

function toValue([kind, text]: Pair): Value {
  switch (kind) {
    case 'bool': return { boolValue: text === 'true' };
    case 'int64': return { int64Value: text };
    case 'double': return { doubleValue: Buffer.from(text, 'hex').readDoubleBE() };
    case 'string': return { stringValue: text };
    case 'bytes': return { bytesValue: Buffer.from(text, 'hex') };
    default: return { nullValue: 'NULL_VALUE' };
  }
}

function bits(value: number): string {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return buffer.toString('hex');
}

function fromValue(value: Value__Output): Pair {
  switch (value.kind) {
    case 'nullValue': return ['null', ''];
    case 'boolValue': return ['bool', String(value.boolValue)];
    case 'int64Value': return ['int64', value.int64Value ?? ''];
    case 'doubleValue': return ['double', bits(Number(value.doubleValue))];
    case 'stringValue': return ['string', value.stringValue ?? ''];
    case 'bytesValue': return ['bytes', (value.bytesValue ?? Buffer.alloc(0)).toString('hex')];
    default: throw new Error('a value without a kind');
  }
}

function call<Response>(start: (done: Done<Response>) => void): Promise<Response> {
  return new Promise((resolve, reject) =>
    start((error, response) => (error || !response ? reject(error) : resolve(response))));
}

async function answer(statements: Statement[]) {
  const sent = statements.map(({ sql, parameters }) => ({ sql, parameters: parameters.map(toValue) }));
  const options = { deadline: Date.now() + 30_000 };
  if (sent.length === 1) {
    return call<QueryResponse__Output>((done) =>
      queries.query({ statement: sent[0]! }, options, done));
  }
  const batch = { statements: sent.map((statement) => ({ statement })) };
  const { results } = await call<ExecuteBatchResponse__Output>((done) =>
    queries.executeBatch(batch, options, done));
  return results.at(-1)!;
}

async function main() {
  const cases: Case[] = JSON.parse(fs.readFileSync(process.env['EMSDB_CASES'] ?? '', 'utf8'));
  let wrong = 0;
  for (const { name, statements, columns, row } of cases) {
    try {
      const { columns: seen, rows } = await answer(statements);
      assert.deepStrictEqual(seen.map(({ type }) => type), columns);
      assert.deepStrictEqual(rows.map(({ values }) => values.map(fromValue)),
        columns.length > 0 ? [row] : []);
    } catch (error) {
      wrong += 1;
      console.log(`${name}: ${String(error).slice(0, 600)}`);
    }
  }
  console.log(wrong === 0 ? `checked ${cases.length}` : `${wrong} of ${cases.length} are wrong`);
  if (wrong > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
}).finally(() => queries.close());
