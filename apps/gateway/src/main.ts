import { startService } from '@cadre/service-kit';
import { gatewayService } from './gateway-service.js';

await startService(gatewayService);
