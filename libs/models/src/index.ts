export { ModelBreaker } from './model-breaker.js';
export type { BreakerChange, BreakerState, ModelBreakerOptions } from './model-breaker.js';
export { OpenAiModel } from './openai-model.js';
export type { OpenAiModelOptions } from './openai-model.js';
export { DEFAULT_PRICES, Price, PriceTable, costMicros, loadPrices, priceOf } from './prices.js';
