export {
  type TestBucket,
  TestCluster,
  type TestClusterOptions,
  type TestWeather,
} from "./test-cluster.ts";
